import { loadClientConfig } from '#config';
import { UsageError } from './usage-error.js';

/** Characters that a header can carry; without a blank, so that a key never ends a header early. */
const KEY = /^[\x21-\x7e]{1,512}$/;

/** Reads `--key`. @throws UsageError that does not repeat it */
export function parseApiKey(text: string): string {
  if (!KEY.test(text)) throw new UsageError('--key must be 1 to 512 printable characters without spaces.');
  return text;
}

/** The key to send: the one given, else that of the environment; `null` = none. */
export function apiKeyOf(given: string | undefined): string | null {
  return given ?? loadClientConfig().apiKey;
}

/** Whether a key stands on the command line, where the list of processes would show it to everybody on the machine. */
export function isKeyInArguments(words: readonly string[]): boolean {
  return words.some((word) => word === '--key' || word.startsWith('--key='));
}
