import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: unknown;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const ROOT = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
/** What an installation without development tools may have at most, those of every platform included. A new one needs a reason, and this number. */
const RUNTIME_MAXIMUM = 345;
/** Builds of two development tools for machines that nobody here has; the registry that the lock file was written with lacked them. */
const NOT_HAD = /^node_modules\/@(swc\/core|unrs\/resolver-binding)-/;
const EXACT = /^(npm:(@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

const manifest = JSON.parse(read('package.json')) as Manifest;
const { packages, lockfileVersion } = JSON.parse(read('package-lock.json')) as {
  lockfileVersion: number;
  packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(packages).filter(([path]) => path !== '');
const notHad = ([path, { dev, optional, integrity }]: [string, LockedPackage]): boolean =>
  integrity === undefined && dev === true && optional === true && NOT_HAD.test(path);
const had = locked.filter((entry) => !notHad(entry));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('the supply chain', () => {
  it('has exact versions of everything that is asked for', () => {
    const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(asked.filter(([, version]) => !EXACT.test(version))).toEqual([]);
  });

  it('knows the content of every package by SHA-512, and the address of none: the registry is that of whoever installs', () => {
    expect(lockfileVersion).toBe(3);
    expect(had.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')).map(([path]) => path)).toEqual([]);
    expect(locked.filter(([, { resolved, link }]) => resolved !== undefined || link === true).map(([path]) => path)).toEqual([]);
    expect(locked.length - had.length).toBeLessThanOrEqual(25);
  });

  it('takes no package from git, from a file or from an address', () => {
    const ranges = locked.flatMap(([path, { dependencies }]) =>
      Object.entries(dependencies ?? {}).map(([name, range]) => [path, name, range]),
    );
    expect(ranges.filter(([, , range]) => /^(git|github:|file:|link:|https?:)|^[\w-]+\/[\w-]+/.test(range!))).toEqual([]);
  });

  it('says of every install script whether it may run, and an installation fails where it does not', () => {
    const withScript = new Set(locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)));
    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...withScript].sort());
    expect(read('.npmrc').split('\n')).toContain('strict-allow-scripts=true');
    expect(Object.keys(manifest.allowScripts).filter((name) => !manifest.allowScripts[name])).toEqual([
      'onnxruntime-node',
      'protobufjs',
      '@scarf/scarf',
      '@parcel/watcher',
    ]);
  });

  it('says the licence of everything', () => {
    expect(had.filter(([, { license }]) => typeof license !== 'string').map(([path]) => path)).toEqual([]);
  });

  it(`has at most ${RUNTIME_MAXIMUM} packages at run time`, () => {
    const runtime = locked.filter(([, { dev }]) => dev !== true);
    expect(runtime.length).toBeLessThanOrEqual(RUNTIME_MAXIMUM);
    // Room for one or two, so that the number means something.
    expect(runtime.length).toBeGreaterThan(RUNTIME_MAXIMUM - 10);
  });
});
