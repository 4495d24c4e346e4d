import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sharedConnection } from '../../src/workers/ssh-control.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const target = { place: 'me@box', port: 22 };

describe('the connection that commands to one machine share', () => {
  let runtime: string;
  beforeEach(async () => {
    runtime = await temporaryFolder();
    vi.stubEnv('XDG_RUNTIME_DIR', runtime);
    return () => vi.unstubAllEnvs();
  });
  const ssh = () => {
    const started: (readonly string[])[] = [];
    const start = (options: readonly string[]) => {
      started.push(options);
      return spawn('true');
    };
    return { started, start };
  };

  test('is known to every twin of the user by the same name, and is another one for another machine or key', () => {
    const { start } = ssh();
    const { socket } = sharedConnection(target, start);
    expect(sharedConnection({ ...target }, start).socket).toBe(socket);
    expect(sharedConnection({ ...target, port: 23 }, start).socket).not.toBe(socket);
    expect(dirname(socket!)).toBe(join(runtime, `twin-ssh-${userInfo().uid}`));
    expect(statSync(dirname(socket!)).mode & 0o777).toBe(0o700);
  });

  test('ends by itself when nobody uses it, and is opened once', () => {
    const { started, start } = ssh();
    const shared = sharedConnection(target, start);
    shared.open();
    shared.open();
    expect(started).toEqual([['ControlMaster=auto', 'ControlPersist=60', 'SessionType=none', 'StdinNull=yes']]);
  });

  test('that another twin has opened is used', () => {
    const { started, start } = ssh();
    const shared = sharedConnection(target, start);
    writeFileSync(shared.socket!, '');
    shared.open();
    expect(started).toEqual([]);
  });

  test('is done without where others could enter its folder', () => {
    const folder = join(runtime, `twin-ssh-${userInfo().uid}`);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const { started, start } = ssh();
    const shared = sharedConnection(target, start);
    shared.open();
    expect([shared.socket, started]).toEqual([null, []]);
  });
});
