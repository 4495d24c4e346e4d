import type { Finding } from '../contracts/command-results.ts';
import { listDevices } from '../workers/list-devices.ts';
import type { Session } from './session.ts';

/** Whether GPUs of this machine are kept from jobs because they failed; nothing is said where there are none. */
export async function checkDevices({ wired }: Session): Promise<readonly Finding[]> {
  const devices = await listDevices(await wired.python()).then(
    (list) => list.devices,
    () => null,
  );
  if (devices === null) {
    return [finding('the driver does not answer: jobs cannot tell which device is free', 'Run nvidia-smi: it says what is wrong')];
  }
  const faulty = devices.filter(({ fault }) => fault !== null);
  if (faulty.length === 0 && devices.length > 0) return [finding(devices.map(({ name }) => name).join(', '), null)];
  return faulty.map(({ uuid, fault }) =>
    finding(`${uuid} gets no job: ${fault!.why}`, `Look at nvidia-smi -q, then: twin jobs release-device ${uuid}`),
  );
}

function finding(found: string, fix: string | null): Finding {
  return { type: 'finding', subject: 'GPUs', state: fix === null ? 'ok' : 'warn', found, where: null, fix };
}
