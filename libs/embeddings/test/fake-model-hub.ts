import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * - `down`: it answers 503; `stall`: it begins a file and sends no more; `cut`: it ends the connection in the middle of a file
 * - `private`: it answers 401, as it does for what it does not have or does not give to everybody
 */
export type HubFault = 'down' | 'stall' | 'cut' | 'private';

/** What the state of the model is called that the double has. */
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Double of a model hub with the paths of huggingface.co: an HTTP server in this process that gives out one folder as `owner/name`. */
export class FakeModelHub {
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  private readonly server: Server;
  private fault: { readonly kind: HubFault; readonly file: string } | null = null;

  private constructor(private readonly folder: string) {
    this.server = createServer((request, response) => void this.answer(request, response).catch(() => response.destroy()));
  }

  static async start(folder: string): Promise<FakeModelHub> {
    const hub = new FakeModelHub(folder);
    await new Promise<void>((resolve) => hub.server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on it does that to the file, or to all. */
  behave(kind: HubFault | null, file = ''): void {
    this.fault = kind === null ? null : { kind, file };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(url);
    const match = /^\/(?:cdn|owner\/name\/resolve\/(main|[0-9a-f]{40}))\/(.+)$/.exec(url);
    const fault = this.fault !== null && url.endsWith(this.fault.file) ? this.fault.kind : null;
    if (fault === 'down' || fault === 'private') return void response.writeHead(fault === 'down' ? 503 : 401).end('no');
    if (match === null || (match[1] !== undefined && match[1] !== 'main' && match[1] !== COMMIT)) return void response.writeHead(404).end();
    const [, revision, file] = match;
    let content: Buffer;
    try {
      content = await readFile(join(this.folder, file!));
    } catch {
      return void response.writeHead(404).end();
    }
    // Large files come from elsewhere, without a word about the state they belong to.
    if (revision !== undefined && file!.endsWith('.onnx')) return void response.writeHead(302, { location: `/cdn/${file}` }).end();
    response.writeHead(200, { 'content-length': content.length, ...(revision !== undefined && { 'x-repo-commit': COMMIT }) });
    if (fault === null) return void response.end(content);
    response.write(content.subarray(0, content.length / 2), () => {
      if (fault === 'cut') response.destroy();
    });
  }
}
