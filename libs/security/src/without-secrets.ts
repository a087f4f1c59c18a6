/** Names of fields that hold secrets wherever they are. */
const SECRET_NAME = /secret|password|passwd|pepper|authorization|credential|api_?key|^key$|^token$/i;
/** A key of ours, anywhere in a text. */
const KEY_IN_TEXT = /kdr_[0-9a-f]{12}_[0-9a-f]+(_[0-9a-f]*)?/gi;
const MASK = '[masked]';
const DEPTH_MAXIMUM = 32;

/** The value with what may be a secret masked. For records that cannot be taken back: what a client sends by mistake must not stay in them. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replace(KEY_IN_TEXT, MASK);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAXIMUM) return MASK;
  if (Array.isArray(value)) return value.map((element) => withoutSecrets(element, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, SECRET_NAME.test(name) ? MASK : withoutSecrets(field, depth + 1)]),
  );
}
