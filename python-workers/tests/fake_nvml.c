/* A fake of the driver's library: one whole GPU, and one that is cut into MIG slices 0 and 2. */
#include <stdio.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned int pid; unsigned long long used; unsigned int instance, compute; } Process;

static char handles[5]; /* whole, cut, slices 0 to 2 */
static int place(void *handle) { return (char *)handle - handles; }

int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) { *handle = handles + index; return 0; }
int nvmlDeviceGetMigMode(void *handle, unsigned int *current, unsigned int *pending) {
  *current = *pending = place(handle) == 1;
  return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned int *most) { *most = 3; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned int index, void **part) {
  *part = handles + 2 + index;
  return index == 1 ? 6 : 0;
}
int nvmlDeviceGetUUID(void *handle, char *text, unsigned int size) {
  if (place(handle) == 0) snprintf(text, size, "GPU-whole");
  else snprintf(text, size, "MIG-%d", place(handle) - 2);
  return 0;
}
int nvmlDeviceGetName(void *handle, char *text, unsigned int size) { snprintf(text, size, "Fake H100"); return 0; }
int nvmlDeviceGetMemoryInfo(void *handle, Memory *memory) {
  memory->total = 80ull << 30; memory->free = 70ull << 30; memory->used = 10ull << 30;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void *handle, Utilization *rates) { rates->gpu = 42; rates->memory = 7; return place(handle) ? 3 : 0; }
int nvmlDeviceGetTemperature(void *handle, unsigned int sensor, unsigned int *celsius) { *celsius = 61; return 0; }
int nvmlDeviceGetPowerUsage(void *handle, unsigned int *milliwatts) { *milliwatts = 310500; return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned int *count, Process *processes) {
  *count = place(handle) ? 0 : 2;
  processes[0].pid = 4711;
  processes[1].pid = 4712;
  return 0;
}
