import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What an endpoint was asked. */
export interface UpstreamRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How it behaves on its nth call, from 0. */
export type UpstreamScript = (response: ServerResponse, call: number, request: UpstreamRequest) => void | Promise<void>;

/** A chat endpoint on this machine that does what its script says, and notes what it was asked. */
export async function chatUpstream(
  script: UpstreamScript,
): Promise<{ url: string; requests: UpstreamRequest[]; close: () => Promise<void> }> {
  const requests: UpstreamRequest[] = [];
  const server = createServer((incoming, response) => {
    void readBody(incoming).then(async (body) => {
      const request = {
        path: incoming.url!,
        authorization: incoming.headers.authorization,
        body: JSON.parse(body) as UpstreamRequest['body'],
      };
      requests.push(request);
      await script(response, requests.length - 1, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests, close };
}

/** A server-sent event with a chunk of a completion that adds to the answer. */
export const delta = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** A whole stream: pieces, usage, and the end. */
export function completion(pieces: readonly string[]): string {
  const usage = { choices: [], usage: { prompt_tokens: 11, completion_tokens: pieces.length, total_tokens: 11 + pieces.length } };
  return `${pieces.map((piece) => delta(piece)).join('')}${delta('', 'stop')}data: ${JSON.stringify(usage)}\n\ndata: [DONE]\n\n`;
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming.setEncoding('utf8')) body += String(chunk);
  return body;
}
