import { renderTable } from '#kernel';
import { Command, Option } from 'nest-commander';
import { timeText } from '../output/words.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';

interface Erasure {
  readonly id: string;
  readonly kind: string;
  readonly target_id: string;
  readonly state: 'pending' | 'proven' | 'failed';
  readonly requested_at: string;
  readonly logged_at: string | null;
  readonly finished_at: string | null;
  readonly last_error: string | null;
  readonly places: readonly {
    readonly place: string;
    readonly part: string;
    readonly state: string;
    readonly removed: number;
    readonly checked_at: string | null;
    readonly proven_at: string | null;
    readonly detail: string | null;
  }[];
  readonly backups: readonly { readonly id: string; readonly begun_at: string; readonly location: string }[];
}

@Command({
  name: 'erasures',
  arguments: '<id>',
  description:
    'The receipt of an erasure: where the row is proven to be gone, and the backups that may still hold it; exit code 1 when it failed',
})
export class ErasuresCommand extends ServiceCommand {
  @Option({ flags: '--wait', description: 'wait until it is proven, or has failed' })
  parseWait(): boolean {
    return true;
  }

  async run([id]: string[], options: ServiceOptions & { readonly wait?: boolean }): Promise<void> {
    const client = this.clientOf(options);
    const look = () => client.call<Erasure>('GET', `/api/v1/erasures/${encodeURIComponent(id!)}`);
    const erasure = options.wait === true ? await this.follow(look, ({ state }) => state !== 'pending', progressText) : await look();
    this.show(options, erasure, () => receiptText(erasure));
    if (erasure.state === 'failed') this.fail();
  }
}

function progressText({ places }: Erasure): string {
  return `Proven gone from ${places.filter(({ state }) => state === 'proven').length} of ${places.length} places`;
}

function receiptText(erasure: Erasure): string {
  const { id, kind, target_id, state, requested_at, logged_at, finished_at, last_error, places, backups } = erasure;
  const lines = [
    `Erasure ${id} of ${kind} ${target_id}: ${state}${finished_at === null ? '' : ` at ${timeText(finished_at)}`}`,
    `deleted: ${timeText(requested_at)}`,
    `in the erasure log: ${logged_at === null ? 'not yet' : timeText(logged_at)}`,
  ];
  if (last_error !== null) lines.push(`last error: ${last_error}`);
  const placeTable = renderTable(
    ['place', 'part', 'state', 'removed', 'last look', 'proven', 'detail'],
    places.map((one) => [
      one.place,
      one.part === '' ? '-' : one.part,
      one.state,
      one.removed,
      timeText(one.checked_at),
      timeText(one.proven_at),
      one.detail ?? '-',
    ]),
  );
  if (backups.length === 0) return [...lines, '', placeTable, '', 'No backup was made before.'].join('\n');
  const backupTable = renderTable(
    ['backup', 'begun', 'location'],
    backups.map((backup) => [backup.id, timeText(backup.begun_at), backup.location]),
  );
  return [...lines, '', placeTable, '', 'May still hold it; a restore from one deletes it again:', '', backupTable].join('\n');
}
