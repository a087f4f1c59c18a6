import { inheritedEnvironment, RUNTIME_OPTIONS } from '#config';
import { FatalStartupError } from '#kernel';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const API_MAIN = fileURLToPath(new URL('../../../api/src/main.js', import.meta.url));

/** Lines of these levels are for the person in front of the terminal; the rest would hide the tables. */
const SHOWN_LEVELS = new Set(['warn', 'error', 'fatal']);

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly url?: string;
}

/** The api as a process of its own, exactly as `npm start` runs it. */
export class ServiceProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** Resolves with the exit code when the service has ended. */
    readonly ended: Promise<number>,
  ) {}

  /**
   * Starts the service and waits for its `ready` line.
   *
   * @param variables defaults for variables that the environment of this process leaves unset
   * @throws FatalStartupError when it ends before it is ready; its own message has been printed by then
   */
  static async start(variables: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const child = spawn(process.execPath, [...RUNTIME_OPTIONS, API_MAIN], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: inheritedEnvironment(variables),
    });
    const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = parse(text);
        if (line.msg === 'ready' && line.url !== undefined) resolve(line.url);
        else if (line.level === undefined || SHOWN_LEVELS.has(line.level)) process.stderr.write(`${text}\n`);
      });
      void ended.then((code) => reject(new FatalStartupError(`The service ended with code ${code} before it was ready.`)));
    });
    return new ServiceProcess(child, url, ended);
  }

  /** Stops the service in an orderly way; resolves with its exit code. */
  async stop(): Promise<number> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {};
  }
}
