import { inspectEnvironment, InvalidEnvironmentError, type Environment } from './environment.js';

/** What a client of the service needs; the command line may run where no service does. */
export class ClientConfig {
  /** `null` = none; a service on this machine may need none. */
  readonly apiKey: string | null;
  /** Whether the key may go over plain http to another machine. */
  readonly allowsPlaintext: boolean;

  constructor({ apiKey, allowsPlaintext }: { readonly apiKey: string | null; readonly allowsPlaintext: boolean }) {
    this.apiKey = apiKey;
    this.allowsPlaintext = allowsPlaintext;
    Object.freeze(this);
  }
}

/**
 * Reads the variables of a client, whatever is wrong with those of the service.
 *
 * @param environment default: the environment of the process
 * @throws InvalidEnvironmentError
 */
export function loadClientConfig(environment: Environment = process.env): ClientConfig {
  const { KINDRED_API_KEY, KINDRED_API_KEY_FILE, KINDRED_ALLOW_PLAINTEXT } = environment;
  const { sound, problems } = inspectEnvironment({ KINDRED_API_KEY, KINDRED_API_KEY_FILE, KINDRED_ALLOW_PLAINTEXT });
  if (problems.length > 0) throw new InvalidEnvironmentError(problems);
  return new ClientConfig({ apiKey: sound.KINDRED_API_KEY ?? null, allowsPlaintext: sound.KINDRED_ALLOW_PLAINTEXT });
}
