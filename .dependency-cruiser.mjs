// The layers of docs/architecture.md as rules. Arrows point down only. apps/api/test/boundaries.int-spec.ts plants one violation per rule and sees it fire.

const TESTS = '(^|/)(test|jest)/|\\.(spec|int-spec|e2e-spec|fault-spec)\\.ts$|^libs/testing/';
const PLATFORM = 'config|observability|rules|openai';
const GATE = 'security';
const ENGINE = 'sync|search';
const ERASURE = 'erasure';
const ADAPTERS = 'database|embeddings|vector-store';
const FEATURES = 'projects|similarity|pricing|documents|answers|ingestion';
const EDGES = 'admin|health|backup|metrics';

/** A rule about production code of one layer: what it must not import. */
const layer = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: TESTS },
  to: { path: to },
});

/** Only `where` may import the npm packages `packages`; swapping the vendor must stay a change in one folder. */
const quarantine = (name, comment, packages, where) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(apps|libs|bench|eval)/', pathNot: `${where}|${TESTS}` },
  to: { path: `(^|/)node_modules/(${packages})(/|$)` },
});

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'An ESM cycle crashes at boot, or worse, hands out undefined. Move the shared part down.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'public-face-only',
      comment: 'libs/<name>/src/index.ts is the public face of a lib; reaching past it makes its inside impossible to change.',
      severity: 'error',
      from: { path: '^(apps|libs|bench|eval)/([^/]+)' },
      to: { path: '^libs/([^/]+)/', pathNot: '^libs/$2/|^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'resolvable',
      comment: 'An import that cannot be resolved escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    layer(
      'kernel-is-the-bottom',
      'The kernel has no framework and no house above it, so that everything may stand on it.',
      '^libs/kernel/',
      '^(apps|libs/(?!kernel/))|node_modules/(@nestjs|fastify|typeorm|pg)/',
    ),
    layer(
      'platform-knows-the-kernel-only',
      'Configuration, logs and rules serve every layer; one arrow up and they could not.',
      `^libs/(${PLATFORM})/`,
      `^(apps/|libs/(?!kernel/|${PLATFORM.split('|')
        .map((name) => `${name}/`)
        .join('|')}))`,
    ),
    layer(
      'adapters-know-no-engine',
      'An adapter that knows what it is used for cannot be replaced.',
      `^libs/(${ADAPTERS})/`,
      `^(apps/|libs/(${GATE}|${ENGINE}|${ERASURE}|${FEATURES}|${EDGES}|testing)/)`,
    ),
    layer(
      'gate-knows-the-database-only',
      'Who may come in is decided without knowing what is inside.',
      `^libs/(${GATE})/`,
      `^(apps/|libs/(embeddings|vector-store|${ENGINE}|${ERASURE}|${FEATURES}|${EDGES}|testing)/)`,
    ),
    {
      name: 'adapters-do-not-meet',
      comment: 'Database, embeddings and vector store are joined by sync alone; otherwise a swap of one drags the others along.',
      severity: 'error',
      from: { path: `^libs/(${ADAPTERS})/`, pathNot: TESTS },
      to: { path: `^libs/(${ADAPTERS})/`, pathNot: '^libs/$1/' },
    },
    layer(
      'idempotency-knows-no-feature',
      'Keys of requests serve every route alike.',
      '^libs/idempotency/',
      `^(apps/|libs/(${ENGINE}|${ERASURE}|${FEATURES}|${EDGES}|testing|embeddings|vector-store)/)`,
    ),
    layer(
      'engine-knows-no-feature',
      'sync and search serve every IndexSource alike; they must not know projects.',
      `^libs/(${ENGINE})/`,
      `^(apps/|libs/(${GATE}|${ERASURE}|${FEATURES}|${EDGES}|testing)/)`,
    ),
    layer('sync-knows-no-search', 'The index is kept in step whether anybody searches it or not.', '^libs/sync/', '^libs/search/'),
    layer(
      'erasure-knows-no-feature',
      'Features register with it the places in which they keep something of a row; it must not know them.',
      `^libs/${ERASURE}/`,
      `^(apps/|libs/(search|${FEATURES}|${EDGES}|testing)/)`,
    ),
    layer(
      'features-know-no-edge',
      'Features are used by several edges and know none of them.',
      `^libs/(${FEATURES})/`,
      `^(apps/|libs/(${EDGES}|testing)/)`,
    ),
    layer(
      'projects-stand-alone',
      'Other features hydrate from projects; an arrow back would be a cycle.',
      '^libs/projects/',
      '^libs/(similarity|pricing|documents|answers|ingestion)/',
    ),
    layer(
      'documents-stand-alone',
      'Answers and imports read documents; an arrow back would be a cycle.',
      '^libs/documents/',
      '^libs/(projects|similarity|pricing|answers|ingestion)/',
    ),
    layer(
      'answers-know-documents-only',
      'Answers are made from documents; projects have a search of their own.',
      '^libs/answers/',
      '^libs/(projects|similarity|pricing|ingestion)/',
    ),
    layer(
      'similarity-knows-projects-only',
      'similarity hydrates projects; everything else of the features stands above it.',
      '^libs/similarity/',
      '^libs/(pricing|documents|answers|ingestion)/',
    ),
    layer(
      'ingestion-stands-on-top',
      'Imports write rows of other features and are used by none of them.',
      '^libs/ingestion/',
      '^libs/(similarity|pricing|answers)/',
    ),
    layer('edges-know-no-app', 'An edge is composed by apps, not the other way round.', `^libs/(${EDGES})/`, '^(apps/|libs/testing/)'),
    {
      name: 'apps-are-imported-by-nobody',
      comment: 'Composition roots are the top; what two of them need belongs in a lib.',
      severity: 'error',
      from: { path: '^(apps/([^/]+)|libs|bench|eval)/' },
      to: { path: '^apps/', pathNot: '^apps/$2/' },
    },
    {
      name: 'http-stays-at-the-edge',
      comment: 'api, worker and cli share the providers; controllers are for apps/api, and nothing below the edge may know HTTP.',
      severity: 'error',
      from: { path: '^(apps/(worker|cli)|libs/[^/]+/src/(?!http/))', pathNot: `${TESTS}|^libs/[^/]+/src/index\\.ts$|^libs/(${EDGES})/` },
      to: { path: '/src/http/|node_modules/(fastify|@nestjs/platform-fastify|@nestjs/swagger)/' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'Doubles must not reach production.',
      severity: 'error',
      from: { path: '^(apps|libs|bench|eval)/', pathNot: TESTS },
      to: { path: '^libs/testing/|\\.(spec|int-spec|e2e-spec|fault-spec)\\.ts$' },
    },
    quarantine(
      'typeorm-in-persistence',
      'The ORM and the driver are details of database and of persistence folders.',
      'typeorm|pg|pg-copy-streams',
      '^libs/database/|/persistence/|^bench/',
    ),
    quarantine(
      'qdrant-in-its-adapter',
      'Its client has traps that one folder knows.',
      '@qdrant|undici',
      '^libs/vector-store/src/qdrant/|^bench/',
    ),
    quarantine(
      'transformers-in-its-adapter',
      'Model runtimes change fast; one folder follows them.',
      '@xenova|@huggingface|onnxruntime-node|onnxruntime-common',
      '^libs/embeddings/src/transformers/|^bench/',
    ),
    quarantine(
      'usearch-in-its-adapter',
      'It is synchronous and belongs in the search worker.',
      'usearch',
      '^libs/vector-store/src/local/|^bench/',
    ),
    quarantine('pg-boss-in-its-adapter', 'How jobs reach processes is known in one place.', 'pg-boss', '^libs/ingestion/src/queue/'),
    quarantine(
      'cockatiel-in-its-adapter',
      'Who may stop asking whom is decided in one place: breakers and retries in several layers multiply.',
      'cockatiel',
      '^libs/vector-store/src/failover/',
    ),
    quarantine(
      'opentelemetry-in-its-folder',
      'Spans are opened by a function of the house; who keeps them is known in one place.',
      '@opentelemetry',
      '^libs/observability/src/tracing/',
    ),
    quarantine(
      'prom-client-in-its-edge',
      'The layers below count in plain numbers; what publishes them can be changed in one place.',
      'prom-client',
      '^libs/metrics/',
    ),
    {
      name: 'no-development-package-in-production',
      comment: 'A production install has no development dependencies.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Our own build only: many packages have their code under node_modules/<name>/dist, and what is excluded escapes every rule.
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.boundaries.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
