import type { CommandOutcome } from '../../contracts/command-results.ts';
import { nearName } from '../../contracts/near-name.ts';
import { listDevices } from '../../workers/list-devices.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { openSession } from '../session.ts';

/** `twin jobs devices`: the GPUs of this machine, who has them, and which are kept from jobs. */
export async function showDevices(context: CommandContext): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { devices } = await listDevices(await session.value.wired.python());
  return done({ type: 'devices', devices });
}

/** `twin jobs release-device <uuid>`: jobs get a device again that failed. */
export async function releaseDevice(context: CommandContext, _options: object, uuid: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const python = await session.value.wired.python();
  const before = (await listDevices(python)).devices;
  const named = before.filter((device) => device.uuid.startsWith(uuid));
  if (named.length !== 1) {
    const uuids = before.map((device) => device.uuid);
    const near = nearName(uuid, uuids);
    const hint = near ? `Did you mean ${near}?` : 'twin jobs devices lists them';
    const message = named.length === 0 ? `There is no device ${uuid}` : `${uuid} begins ${named.length} devices`;
    return refused([usageProblem('unknown-device', message, hint, { expected: uuids.join(', ') || 'no devices', found: uuid })]);
  }
  const { devices, released } = await listDevices(python, named[0]!.uuid);
  return done({ type: 'device-released', uuid: named[0]!.uuid, released, devices });
}
