// Boots the built service in an empty data directory, asks it for its health, stops it, and wants exit code 0.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 60_000;
const main = fileURLToPath(new URL('../dist/apps/api/src/main.js', import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'kindred-boot-'));
const startedMs = performance.now();
const child = spawn(process.execPath, [main], {
  env: { ...process.env, PORT: '0', DATA_DIR: dataDir },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
const watchdog = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);

let failure = null;
try {
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line);
      if (entry.msg === 'ready') resolve(entry.url);
    });
    ended.then((code) => reject(new Error(`the service ended with ${code} before it was ready`)));
  });
  console.log(`ready after ${Math.round(performance.now() - startedMs)} ms`);
  for (const path of ['/health/live', '/health/ready', '/health/startup', '/health', '/docs-json', '/api/v1/projects']) {
    const reply = await fetch(url + path);
    console.log(`${reply.status} ${path}`);
    if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}`);
  }
} catch (error) {
  failure = error;
}
child.kill('SIGTERM');
const code = await ended;
clearTimeout(watchdog);
rmSync(dataDir, { recursive: true, force: true });
if (failure !== null || code !== 0) {
  console.error(failure ?? `the service ended with ${code} after SIGTERM`);
  process.exit(1);
}
console.log('stopped with code 0');
