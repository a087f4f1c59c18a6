import { DomainError } from '#kernel';

export const IDEMPOTENCY_KEY = 'Idempotency-Key';
export const IDEMPOTENCY_REPLAYED = 'Idempotency-Replayed';

/** In quotes as well: the draft of the header writes it as a string of structured fields. */
export const KEY_PATTERN = '^([A-Za-z0-9_-]{8,128}|"[A-Za-z0-9_-]{8,128}")$';
const KEY = new RegExp(KEY_PATTERN);

/** The key of a request; `null` = it has none. @throws DomainError `request.invalid` for one that is no key */
export function keyOf(header: string | readonly string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header);
  if (KEY.test(text)) return text.replaceAll('"', '');
  const detail = 'must be 8 to 128 letters, digits, - or _';
  throw new DomainError('request.invalid', {
    detail: `${IDEMPOTENCY_KEY} ${detail}`,
    fields: [{ pointer: `@${IDEMPOTENCY_KEY}`, code: 'bad-format', detail }],
  });
}
