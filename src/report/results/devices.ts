import type { DeviceLine } from '../../contracts/devices.ts';
import { bytes } from '../quantities.ts';
import type { Format, Style } from '../style.ts';
import { table } from '../table.ts';

/** GPUs, what is free of them, and who has them. */
export function devicesText(devices: readonly DeviceLine[], style: Style): string {
  if (devices.length === 0) return 'No GPUs that the driver of NVIDIA tells of: jobs run on the CPU.';
  const rows = devices.map((device) => {
    const { word, format, why } = standing(device);
    const busy = device.utilization === null ? '' : `${device.utilization} %`;
    return [device.uuid, device.name, style(format, word), `${bytes(device.freeBytes)} of ${bytes(device.totalBytes)}`, busy, why];
  });
  const quarantined = devices.filter(({ fault }) => fault !== null).map(({ uuid }) => uuid);
  return [
    table(['DEVICE', 'NAME', 'STATE', 'FREE', 'BUSY', 'WHY'], rows, (title) => style('dim', title)),
    ...quarantined.map((uuid) => style('dim', `→ twin jobs release-device ${uuid}`)),
  ].join('\n');
}

/** What became of a request to release a device. */
export function deviceReleasedText(uuid: string, released: boolean): string {
  return released ? `${uuid} is given to jobs again.` : `${uuid} was not quarantined; nothing was done.`;
}

function standing({ lease, fault, processes }: DeviceLine): { readonly word: string; readonly format: Format; readonly why: string } {
  if (fault !== null) return { word: 'quarantined', format: 'red', why: `${fault.why} (job ${fault.job.slice(0, 12)})` };
  if (lease !== null) return { word: 'leased', format: 'cyan', why: `job ${lease.job.slice(0, 12)}, process ${lease.pid}` };
  if (processes.length > 0) return { word: 'in use', format: 'yellow', why: `process ${processes.join(', ')}, which is no job of twin` };
  return { word: 'free', format: 'green', why: '' };
}
