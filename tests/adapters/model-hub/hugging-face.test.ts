import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { huggingFaceHub } from '../../../src/adapters/model-hub/hugging-face.ts';
import { fakeHub } from '../../support/fake-hub.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const large = 'w'.repeat(5000);

async function rig(token = 'hf_test') {
  const server = await fakeHub();
  onTestFinished(() => server.close());
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'model/sub'), { recursive: true });
  await writeFile(join(folder, 'model/config.json'), '{}');
  await writeFile(join(folder, 'model/sub/weights.safetensors'), large);
  const hub = huggingFaceHub({ url: server.url, token: async () => token, wait: async () => undefined });
  const options = { title: 'twin@1', signal: new AbortController().signal, onProgress: () => undefined };
  const push = (repository = 'team/twin') => hub.push({ repository, public: false }, join(folder, 'model'), options);
  const pull = (repository = 'team/twin', into = 'pulled') => hub.pull({ repository }, join(folder, into), options);
  return { server, hub, folder, push, pull };
}

describe('The Hugging Face Hub', () => {
  test('gets a folder as one commit in a private repository, and gives it back file by file', async () => {
    const { server, folder, push, pull } = await rig();
    const { commit, url } = await push();
    expect(server.repositories.get('team/twin')).toMatchObject({ private: true, commit });
    expect(url).toContain(commit);
    await mkdir(join(folder, 'pulled'));
    expect(await pull()).toEqual({ commit });
    expect((await readdir(join(folder, 'pulled'), { recursive: true })).toSorted()).toEqual([
      'config.json',
      'sub',
      'sub/weights.safetensors',
    ]);
    expect(await readFile(join(folder, 'pulled/sub/weights.safetensors'), 'utf8')).toBe(large);
  });

  test('is sent large files once, also when an upload is cut and begun again', async () => {
    const { server, push } = await rig();
    server.fail(/^\/lfs\//, [{ cutAfter: 0 }]);
    await push();
    await push();
    expect(server.calls.filter((call) => call.startsWith('PUT /lfs/'))).toHaveLength(2);
  });

  test('goes on with a download that was cut where it was cut', async () => {
    const { server, folder, push, pull } = await rig();
    await push();
    server.fail(/\/resolve\/.*weights/, [{ status: 503 }, { cutAfter: 1000 }, { cutAfter: 1000 }]);
    await pull();
    expect(await readFile(join(folder, 'pulled/sub/weights.safetensors'), 'utf8')).toBe(large);
  });

  test('does not accept bytes that are not what the hub says it has', async () => {
    const { server, folder, push, pull } = await rig();
    await push();
    await mkdir(join(folder, 'pulled/sub'), { recursive: true });
    await writeFile(join(folder, 'pulled/sub/weights.safetensors.part'), 'x'.repeat(5000));
    await pull();
    expect(await readFile(join(folder, 'pulled/sub/weights.safetensors'), 'utf8')).toBe(large);
    expect(server.calls.filter((call) => call.includes('weights')).length).toBeGreaterThan(0);
  });

  test('that is busy is asked again, and given up with a clear word', async () => {
    const { server, push } = await rig();
    server.fail(/preupload/, [{ status: 429 }, { status: 500 }]);
    await push();
    server.fail(
      /preupload/,
      Array.from({ length: 5 }, () => ({ status: 503 })),
    );
    await expect(push()).rejects.toMatchObject({
      problem: {
        reason: 'hub-unreachable',
        message: 'The hub could not upload to team/twin in 5 tries',
        found: 'status 503: out of turn',
        exit: 1,
      },
    });
  });

  test.each([
    [401, { reason: 'hub-refused', exit: 2, hint: 'Name where the token is found: modelHub.token: { env: HF_TOKEN }' }],
    [413, { reason: 'hub-too-large', exit: 1 }],
  ])('that answers %d is not asked again', async (status, problem) => {
    const { server, push } = await rig();
    server.fail(/commit/, [{ status }]);
    await expect(push()).rejects.toMatchObject({ problem });
    expect(server.calls.filter((call) => call.includes('/commit/'))).toHaveLength(1);
  });

  test('without the repository says so, and without a token nothing is sent', async () => {
    const { server, folder, pull } = await rig();
    await expect(pull('team/nothing')).rejects.toMatchObject({ problem: { reason: 'hub-not-found', exit: 2 } });
    const hub = huggingFaceHub({ url: server.url });
    const options = { title: '', signal: new AbortController().signal, onProgress: () => undefined };
    await expect(hub.push({ repository: 'a/b', public: true }, folder, options)).rejects.toMatchObject({
      problem: { reason: 'token-missing' },
    });
  });

  test('cannot write outside of the folder', async () => {
    const { server, push, pull } = await rig();
    await push();
    server.repositories.get('team/twin')!.files.set('../../evil', Buffer.from('x'));
    await expect(pull()).rejects.toMatchObject({ problem: { reason: 'hub-path' } });
  });
});
