import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { mongoSource } from './mongodb-source.ts';
import { openRig } from './rig.ts';

// Run as a process of its own: brings the index under a folder in step, and dies of SIGKILL at the given occasion of a point.
const [folder, point, occasion, clean = 'clean-1', url, database] = process.argv.slice(2) as [
  string,
  SyncPoint,
  string,
  string?,
  string?,
  string?,
];
const rig = openRig(folder, { onDisk: true, ...(url && database && { source: mongoSource(url, database) }) });
let seen = 0;
await rig.sync({
  fingerprint: { ...rig.fingerprint, clean },
  reached(at) {
    if (at === point && (seen += 1) === Number(occasion)) process.kill(process.pid, 'SIGKILL');
  },
});
await rig.close();
