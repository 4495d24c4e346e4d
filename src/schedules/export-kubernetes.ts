import type { Result } from '../contracts/problem.ts';
import type { ScheduleSpec } from '../contracts/schedule.ts';
import { addWords, type ExportedFile, type ExportRequest, shellWords } from './export-request.ts';

const concurrency: Readonly<Record<ScheduleSpec['overlap'], 'Forbid' | 'Allow'>> = {
  skip: 'Forbid',
  // These are decided by the ledger, which must hear of the tick.
  'buffer-one': 'Allow',
  'cancel-other': 'Allow',
  allow: 'Allow',
};

/** A CronJob, and the claim of the volume that keeps its state from night to night. */
export function kubernetesCronJob({ name, spec, twin, image }: ExportRequest, cron: string): Result<readonly ExportedFile[]> {
  if (image === null) {
    return {
      ok: false,
      error: {
        reason: 'no-image',
        message: 'Kubernetes runs images, and none is named',
        expected: '--image <name>',
        hint: `twin schedule export ${name} --to kubernetes --image registry.example/twin:1`,
        exit: 2,
      },
    };
  }
  const script = [addWords(name, spec), ['schedule', 'trigger', name]].map((words) => shellWords([...twin, ...words])).join(' && exec ');
  const deadline = Math.max(60, Math.round(spec.catchUpWindowMs / 1000));
  const text = `# Raises the ticks of twin's schedule ${name}. Written by: twin schedule export ${name} --to kubernetes
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: twin-${name}-state
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 20Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: twin-${name}
spec:
  schedule: '${cron}'
  timeZone: ${spec.timeZone}
  concurrencyPolicy: ${concurrency[spec.overlap]}
  startingDeadlineSeconds: ${spec.catchUp === 'none' ? 60 : deadline}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # twin retries by itself, and the ledger must not see one tick twice.
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          # twin stops its jobs at a checkpoint first.
          terminationGracePeriodSeconds: 120
          containers:
            - name: twin
              image: ${JSON.stringify(image)}
              command: [sh, -c, ${JSON.stringify(script)}]
              env:
                - name: TWIN_STATE
                  value: /state
              volumeMounts:
                - name: state
                  mountPath: /state
          volumes:
            - name: state
              persistentVolumeClaim:
                claimName: twin-${name}-state
`;
  return { ok: true, value: [{ name: `twin-${name}.yaml`, text }] };
}
