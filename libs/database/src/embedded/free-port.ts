import { createServer } from 'node:net';

/** A port of the host that is free now; another program may take it before it is used, so the user must be ready to try again. */
export function findFreePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('The listener has no port')),
      );
    });
  });
}
