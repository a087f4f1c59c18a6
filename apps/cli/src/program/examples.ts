import { EXIT_CODES } from './exit-codes.js';

/** Examples by command; a test holds each against the command line that exists, and finds one for every command. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  '': ['kindred status', 'kindred search "modern oak kitchen"', 'kindred index validate --json'],
  audit: ['kindred audit list'],
  'audit list': ['kindred audit list --limit 20', 'kindred audit list --json'],
  'audit export': ['kindred audit export --out audit.ndjson', 'kindred audit export > audit.ndjson'],
  backup: ['kindred backup --to /backups/2026-01-31', 'kindred backup --to /backups/2026-01-31 --json'],
  bench: ['kindred bench', 'kindred bench --iterations 1000 --concurrency 4 --json'],
  caches: ['kindred caches stats'],
  'caches stats': ['kindred caches stats', 'kindred caches stats --json'],
  'caches clear': ['kindred caches clear query-vectors', 'kindred caches clear all'],
  certificate: ['kindred certificate', 'kindred certificate --source documents --out certificate.json'],
  certificates: ['kindred certificates list'],
  'certificates list': ['kindred certificates list --limit 5', 'kindred certificates list --source documents --json'],
  'certificates show': ['kindred certificates show 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11 --out certificate.json'],
  'certificates latest': ['kindred certificates latest --generation 2'],
  completion: [
    'kindred completion bash > /etc/bash_completion.d/kindred',
    'kindred completion fish > ~/.config/fish/completions/kindred.fish',
  ],
  config: ['kindred config', 'kindred config --changed', 'kindred config --json'],
  'dead-letters': ['kindred dead-letters list'],
  'dead-letters list': ['kindred dead-letters list --code embedding.text-too-long', 'kindred dead-letters list --source documents --json'],
  'dead-letters mute': ['kindred dead-letters mute 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11 --reason "a scan, not a text"'],
  'dead-letters unmute': ['kindred dead-letters unmute 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'],
  'dead-letters requeue': ['kindred dead-letters requeue 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', 'kindred dead-letters requeue --all'],
  demo: ['kindred demo', 'kindred demo --once'],
  doctor: ['kindred doctor', 'kindred doctor --verbose --skip-operations', 'kindred doctor --url https://kindred.example --json'],
  'doctor faults': ['kindred doctor faults', 'kindred doctor faults --minutes 10 --seed 7 --json'],
  'doctor restore-drill': ['kindred doctor restore-drill --from /backups/2026-01-31'],
  erasures: [
    'kindred erasures 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11',
    'kindred erasures 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11 --wait --json',
  ],
  export: ['kindred export projects --out projects.ndjson', 'kindred export documents --collection faq --format csv'],
  generations: ['kindred generations list'],
  'generations list': ['kindred generations list --all'],
  'generations show': ['kindred generations show 2'],
  'generations plan': ['kindred generations plan projects --max-tokens 128'],
  'generations create': ['kindred generations create projects --model multilingual-e5-small --reason "German texts" --wait'],
  'generations gate': ['kindred generations gate 2'],
  'generations switch': ['kindred generations switch 2'],
  'generations rollback': ['kindred generations rollback', 'kindred generations rollback 1'],
  'generations retire': ['kindred generations retire 1'],
  import: [
    'kindred import offers.csv',
    'kindred import faq.csv --collection faq --dry-run',
    'cat offers.ndjson | kindred import - --format ndjson',
    'kindred import --resume 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11',
  ],
  'import pgvector': [
    'kindred import pgvector --from postgres://reader@host/catalog --table dq_embeddings --map content=content,external_id=id --collection catalog --dry-run',
  ],
  index: ['kindred index check'],
  'index init': ['kindred index init', 'kindred index init --timeout 300'],
  'index check': ['kindred index check', 'kindred index check --url https://kindred.example --json'],
  'index validate': ['kindred index validate', 'kindred index validate --source documents'],
  'index stats': ['kindred index stats --json'],
  'index rebuild': ['kindred index rebuild --wait', 'kindred index rebuild documents --reason "another HNSW setting"'],
  'index migrate': ['QDRANT_URL=http://127.0.0.1:6333 kindred index migrate --from ./data'],
  jobs: ['kindred jobs list'],
  'jobs list': ['kindred jobs list --limit 5', 'kindred jobs list --json'],
  'jobs show': ['kindred jobs show 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11 --problems 100'],
  'jobs cancel': ['kindred jobs cancel 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'],
  keys: ['kindred keys list'],
  'keys list': ['kindred keys list', 'kindred keys list --json'],
  'keys create': [
    'kindred keys create --direct --name operator --scope admin --scope write',
    'kindred keys create --name website --scope read --from 10.0.0.0/8 --per-minute 600 --expires 90d',
  ],
  'keys rotate': ['kindred keys rotate 3f9a1c0b7d42 --overlap 12h'],
  'keys revoke': ['kindred keys revoke 3f9a1c0b7d42'],
  'log-levels': ['kindred log-levels show'],
  'log-levels show': ['kindred log-levels show --json'],
  'log-levels set': ['kindred log-levels set sync debug', 'kindred log-levels set all info'],
  'log-levels reset': ['kindred log-levels reset'],
  migration: ['kindred migration run'],
  'migration run': ['kindred migration run'],
  'migration revert': ['kindred migration revert'],
  'migration generate': ['kindred migration generate add-colour'],
  reconcile: ['kindred reconcile --dry-run --wait', 'kindred reconcile --source documents --wait --json'],
  restore: ['kindred restore --from /backups/2026-01-31', 'kindred restore --from /backups/2026-01-31 --force --no-prove'],
  schedules: ['kindred schedules list'],
  'schedules list': ['kindred schedules list --json'],
  'schedules show': ['kindred schedules show reconcile --limit 5'],
  'schedules run': ['kindred schedules run quick-check --wait'],
  search: [
    'kindred search "modern oak kitchen with an island" --top-k 3',
    'kindred search "Terrasse" --filter region=Bavaria --filter "final_price<20000" --mode vector',
    'kindred search "Why does my fence turn grey?" --documents --collection faq',
  ],
  status: ['kindred status', 'kindred status --url https://kindred.example --json'],
  sync: ['kindred sync', 'kindred sync --force --dry-run', 'kindred sync --force --batch-size 500', 'kindred sync --stats-only --json'],
};

/** What `--help` says below the options of a command. */
export function helpTail(path: string): string {
  const examples = (EXAMPLES[path] ?? []).map((line) => `  ${line}`);
  const codes =
    path === ''
      ? ['', 'Exit codes:', ...EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`)]
      : ['', `Exit codes: ${EXIT_CODES.map(([code]) => code).join(', ')}; kindred --help says what they mean.`];
  return ['', 'Examples:', ...examples, ...codes].join('\n');
}
