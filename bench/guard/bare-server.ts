import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// The floor of a probe: a process that does nothing but answer it. It says its port to whoever forked it, and ends with the channel.
const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end('{"status":"ready"}'));
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
