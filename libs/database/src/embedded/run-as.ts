import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { FatalStartupError } from '#kernel';

/** How PostgreSQL is started: it refuses to run with the rights of root. */
export type RunAs =
  /** This process is not root. */
  | { readonly kind: 'self' }
  /** As a system user; files belong to that user. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  /** As root seen from outside, as an ordinary user seen from inside a user namespace; files belong to root. */
  | { readonly kind: 'namespace'; readonly uid: number };

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL gets no variable of this process: PG* variables of a developer's shell would otherwise steer it. */
export const CHILD_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

const SYSTEM_USERS = ['postgres', 'nobody'] as const;

/** The command line that runs `file` under the chosen identity. */
export function commandAs(runAs: RunAs, file: string, args: readonly string[]): Command {
  switch (runAs.kind) {
    case 'self':
      return { file, args };
    case 'user':
      return { file, args, uid: runAs.uid, gid: runAs.gid };
    case 'namespace':
      // unshare replaces itself by the command, so the process id and the signals stay those of PostgreSQL.
      return { file: 'unshare', args: ['--user', `--map-user=${runAs.uid}`, '--', file, ...args] };
  }
}

/**
 * Finds an identity that can run the binary and enter the folder, by trying: the owner of existing data, the system users, then a user namespace.
 *
 * @param dataFolder an existing folder
 * @param existingData the cluster, when there is one already: its owner is preferred, so that data made by an ordinary user stays with that user
 * @throws FatalStartupError naming the ways out, when none works
 */
export function chooseIdentity(postgres: string, dataFolder: string, existingData: string | null): RunAs {
  if (process.getuid?.() !== 0) {
    const self: RunAs = { kind: 'self' };
    const failure = tryIdentity(self, postgres, dataFolder);
    if (failure === null) return self;
    throw new FatalStartupError(
      `PostgreSQL cannot run here: ${failure}. Mend that, or set DATABASE_URL to a PostgreSQL server of your own (14 or later).`,
    );
  }
  const failures: string[] = [];
  for (const candidate of rootCandidates(existingData)) {
    const failure = tryIdentity(candidate, postgres, dataFolder);
    if (failure === null) return candidate;
    failures.push(`${describe(candidate)}: ${failure}`);
  }
  throw new FatalStartupError(
    `PostgreSQL refuses to run as root, and no other way works here (${failures.join('; ')}). ` +
      'Either start Kindred as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own (14 or later).',
  );
}

function rootCandidates(existingData: string | null): RunAs[] {
  const accounts = readAccounts();
  const candidates: RunAs[] = [];
  const owner = existingData === null ? undefined : statSync(existingData, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) candidates.push({ kind: 'user', uid: owner.uid, gid: owner.gid });
  for (const name of SYSTEM_USERS) {
    const account = accounts.get(name);
    if (account !== undefined) candidates.push({ kind: 'user', ...account });
  }
  // initdb looks its user up by number, so the number inside the namespace must be a known one.
  const inside = [...accounts.values()].find((account) => account.uid !== 0);
  candidates.push({ kind: 'namespace', uid: inside?.uid ?? 65534 });
  return candidates;
}

function readAccounts(): Map<string, { uid: number; gid: number }> {
  const accounts = new Map<string, { uid: number; gid: number }>();
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name, , uid, gid] = line.split(':');
      if (name !== undefined && uid !== undefined && gid !== undefined) accounts.set(name, { uid: Number(uid), gid: Number(gid) });
    }
  } catch {
    // No such file: only the namespace is left to try.
  }
  return accounts;
}

/** Runs the binary once; `null` = it works, else why not. */
function tryIdentity(runAs: RunAs, postgres: string, dataFolder: string): string | null {
  // Through a shell, because the folder must be entered with the rights of the new user, not with those of this process.
  const command =
    process.platform === 'win32'
      ? { file: postgres, args: ['-V'] }
      : commandAs(runAs, '/bin/sh', ['-c', 'cd "$1" && exec "$2" -V', 'sh', dataFolder, postgres]);
  const result = spawnSync(command.file, command.args as string[], {
    env: CHILD_ENVIRONMENT,
    uid: command.uid,
    gid: command.gid,
    encoding: 'utf8',
  });
  if (result.error !== undefined) return result.error.message;
  if (result.status !== 0) return firstLine(result.stderr) || `exit code ${String(result.status)}`;
  return null;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function describe(runAs: RunAs): string {
  return runAs.kind === 'user' ? `as user ${runAs.uid}` : runAs.kind === 'namespace' ? 'in a user namespace' : 'as this user';
}
