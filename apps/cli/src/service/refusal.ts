import { ServiceError } from './service-error.js';

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface RefusedCall {
  /** For example `GET /api/v1/projects`. */
  readonly call: string;
  readonly status: number;
  readonly body: string;
  /** The header, as it came. */
  readonly retryAfter: string | null;
  readonly hasKey: boolean;
}

/** Also what a proxy answers while the service behind it is away. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const TEXT_SHOWN = 500;

/** What a reply that is no success says to the person at the terminal. */
export function refusalOf(refused: RefusedCall): ServiceError {
  const { call, status, body } = refused;
  const advice = adviceOf(refused);
  let problem: Problem;
  try {
    problem = JSON.parse(body) as Problem;
  } catch {
    const message = `${call} answered ${status}: ${body.slice(0, TEXT_SHOWN)}`;
    return new ServiceError(message, null, { isPassing: PASSING_STATUSES.has(status), status, advice });
  }
  const { code = String(status), title, detail } = problem;
  // The detail of a refused field repeats the first of them.
  const fields = (problem.errors ?? []).slice(1).map((field) => `\n  ${field.pointer} ${field.detail}`);
  const sentence = detail === undefined || detail === title ? (title ?? body.slice(0, TEXT_SHOWN)) : `${title}: ${detail}`;
  return new ServiceError(`${sentence} (${code})${fields.join('')}`, code, {
    isPassing: problem.retryable === true || status === 429,
    status,
    advice,
  });
}

function adviceOf({ status, retryAfter, hasKey }: RefusedCall): string | null {
  const later = retryAfter === null || !/^\d{1,6}$/.test(retryAfter) ? 'in a moment' : `in ${retryAfter} s`;
  switch (status) {
    case 401:
      return hasKey
        ? 'The key that was sent is not accepted: it may be mistyped, expired, revoked, or of another service.'
        : 'Give a key with --key, or in KINDRED_API_KEY or KINDRED_API_KEY_FILE. On the machine of the service, kindred keys create --direct makes the first one.';
    case 403:
      return hasKey
        ? 'This key may not do that. kindred keys list (with a key of the scope admin:read) shows the scopes of each.'
        : 'Without a key this is not allowed. Give one with --key, or in KINDRED_API_KEY.';
    case 429:
      return `Too much was asked at once. Try again ${later}, or with a key that has a higher limit.`;
    case 503:
      return `The service is busy, or something that it needs is away. Try again ${later}; kindred doctor tells what is wrong.`;
    default:
      return null;
  }
}
