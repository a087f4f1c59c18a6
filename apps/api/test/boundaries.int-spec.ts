import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');

/** Per rule: a file that breaks it, and nothing else in its name. Every rule of the configuration must be here. */
const PLANTS: Record<string, { path: string; text: string }> = {
  'no-circular': { path: 'libs/kernel/src/ring-a.ts', text: "export * from './ring-b.js';" },
  'public-face-only': { path: 'libs/sync/src/reaching.ts', text: "export * from '../../kernel/src/inside.js';" },
  resolvable: { path: 'libs/kernel/src/nowhere.ts', text: "export * from './absent.js';" },
  'kernel-is-the-bottom': { path: 'libs/kernel/src/up.ts', text: "export * from '#config';" },
  'platform-knows-the-kernel-only': { path: 'libs/config/src/up.ts', text: "export * from '#database';" },
  'adapters-know-no-engine': { path: 'libs/database/src/up.ts', text: "export * from '#sync';" },
  'gate-knows-the-database-only': { path: 'libs/security/src/up.ts', text: "export * from '#sync';" },
  'adapters-do-not-meet': { path: 'libs/embeddings/src/across.ts', text: "export * from '#vector-store';" },
  'engine-knows-no-feature': { path: 'libs/sync/src/up.ts', text: "export * from '#projects';" },
  'idempotency-knows-no-feature': { path: 'libs/idempotency/src/up.ts', text: "export * from '#projects';" },
  'sync-knows-no-search': { path: 'libs/sync/src/across.ts', text: "export * from '#search';" },
  'erasure-knows-no-feature': { path: 'libs/erasure/src/up.ts', text: "export * from '#projects';" },
  'features-know-no-edge': { path: 'libs/projects/src/up.ts', text: "export * from '#health';" },
  'projects-stand-alone': { path: 'libs/projects/src/across.ts', text: "export * from '#similarity';" },
  'similarity-knows-projects-only': { path: 'libs/similarity/src/across.ts', text: "export * from '#pricing';" },
  'documents-stand-alone': { path: 'libs/documents/src/across.ts', text: "export * from '#answers';" },
  'answers-know-documents-only': { path: 'libs/answers/src/across.ts', text: "export * from '#projects';" },
  'ingestion-stands-on-top': { path: 'libs/ingestion/src/across.ts', text: "export * from '#answers';" },
  'edges-know-no-app': { path: 'libs/health/src/up.ts', text: "export * from '../../../apps/api/src/main.js';" },
  'apps-are-imported-by-nobody': { path: 'apps/worker/src/main.ts', text: "export * from '../../api/src/main.js';" },
  'http-stays-at-the-edge': { path: 'libs/projects/src/service.ts', text: "export * from './http/controller.js';" },
  'testing-is-for-tests': { path: 'libs/similarity/src/doubled.ts', text: "export * from '#testing';" },
  'typeorm-in-persistence': { path: 'libs/projects/src/row.ts', text: "export * from 'typeorm';" },
  'qdrant-in-its-adapter': { path: 'libs/vector-store/src/remote.ts', text: "export * from '@qdrant/js-client-rest';" },
  'transformers-in-its-adapter': { path: 'libs/embeddings/src/model.ts', text: "export * from '@xenova/transformers';" },
  'usearch-in-its-adapter': { path: 'libs/vector-store/src/scan.ts', text: "export * from 'usearch';" },
  'pg-boss-in-its-adapter': { path: 'libs/projects/src/jobs.ts', text: "export * from 'pg-boss';" },
  'cockatiel-in-its-adapter': { path: 'libs/similarity/src/patient.ts', text: "export * from 'cockatiel';" },
  'opentelemetry-in-its-folder': { path: 'libs/health/src/tracing.ts', text: "export * from '@opentelemetry/api';" },
  'prom-client-in-its-edge': { path: 'libs/health/src/counting.ts', text: "export * from 'prom-client';" },
  'no-development-package-in-production': { path: 'libs/health/src/dev.ts', text: "export * from 'yaml';" },
};

/** Tools stand beside the apps and are bound by the same rules. */
const TOOLS = ['bench', 'eval'];
const PLANTED_IN_TOOLS = "export * from '../libs/kernel/src/inside.js'; export * from '../apps/api/src/main.js';";

const LIBS = [
  'kernel',
  'config',
  'database',
  'embeddings',
  'vector-store',
  'sync',
  'projects',
  'similarity',
  'search',
  'pricing',
  'documents',
  'answers',
  'ingestion',
  'erasure',
  'health',
  'idempotency',
  'backup',
  'testing',
];

/** A small house in which every arrow is allowed. */
const SOUND: Record<string, string> = {
  ...Object.fromEntries(LIBS.map((name) => [`libs/${name}/src/index.ts`, 'export const x = 1;'])),
  'libs/kernel/src/ring-b.ts': "export * from './ring-a.js';",
  'libs/kernel/src/inside.ts': 'export const inside = 1;',
  'libs/projects/src/http/controller.ts': 'export const y = 1;',
  'libs/similarity/src/allowed.ts': "export * from '#projects'; export * from '#sync'; export * from '#kernel';",
  'libs/projects/src/projects.spec.ts': "import '#testing';",
  'apps/api/src/main.ts': "export * from '#projects';",
  ...Object.fromEntries(TOOLS.map((tool) => [`${tool}/main.ts`, "export * from '#projects';"])),
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

function cruise(files: Record<string, string>): Violation[] {
  const tree = mkdtempSync(join(tmpdir(), 'kindred-boundaries-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'tsconfig.boundaries.json', 'package.json'])
      cpSync(join(ROOT, name), join(tree, name));
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    const cli = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const report = execFileSync(
      process.execPath,
      [cli, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'apps', 'libs', ...TOOLS],
      {
        cwd: tree,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return (JSON.parse(report) as { summary: { violations: Violation[] } }).summary.violations;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

describe('layer rules', () => {
  const planted = cruise({
    ...SOUND,
    ...Object.fromEntries(Object.values(PLANTS).map(({ path, text }) => [path, text])),
    ...Object.fromEntries(TOOLS.map((tool) => [`${tool}/reaching.ts`, PLANTED_IN_TOOLS])),
  });

  it.each(Object.entries(PLANTS))('%s fires on a planted violation', (rule, { path }) => {
    expect(planted.filter((violation) => violation.rule.name === rule).map(({ from }) => from)).toContain(path);
  });

  it.each(TOOLS)('%s may reach neither into a lib nor into an app', (tool) => {
    const rules = planted.filter(({ from }) => from === `${tool}/reaching.ts`).map(({ rule }) => rule.name);
    expect(new Set(rules)).toEqual(new Set(['public-face-only', 'apps-are-imported-by-nobody']));
  });

  it('is silent on a sound house', () => {
    const { 'libs/kernel/src/ring-b.ts': _ring, ...sound } = SOUND;
    expect(cruise(sound)).toEqual([]);
  });

  it('has a plant for every rule', () => {
    const names = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import c from './.dependency-cruiser.mjs'; console.log(JSON.stringify(c.forbidden.map(({ name }) => name)))`,
      ],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect((JSON.parse(names) as string[]).sort()).toEqual(Object.keys(PLANTS).sort());
  });
});
