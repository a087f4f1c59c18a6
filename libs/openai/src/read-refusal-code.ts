import { readBounded } from './read-bounded.js';

const LONGEST_BODY_BYTES = 16 * 1_024;
/** The words that providers use, such as `insufficient_quota`. Messages are not repeated: they may quote the text, or a part of the key. */
const CODE = /^[a-z][a-z_]{0,63}$/;

/** Returns the code that a refusal names in the form of OpenAI, `{"error": {"code": …}}`, or `null`. Reads the body, and never throws. */
export async function readRefusalCode(response: Response): Promise<string | null> {
  try {
    const body = await readBounded(response, LONGEST_BODY_BYTES);
    const { error } = JSON.parse(body ?? 'null') as { readonly error: { readonly code?: unknown; readonly type?: unknown } };
    const code = error.code ?? error.type;
    return typeof code === 'string' && CODE.test(code) ? code : null;
  } catch {
    return null;
  }
}
