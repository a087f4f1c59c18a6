import { ServiceError } from '../service/service-error.js';
import { UsageError } from '../service/usage-error.js';
import { FailureOutput } from './failure-output.js';

const printed = (isJson: boolean, error: Error): { code: number; text: string } => {
  let text = '';
  const code = new FailureOutput(isJson, (more) => (text += more)).print(error);
  return { code, text };
};
const commanderError = (exitCode: number, code: string) =>
  Object.assign(new Error('error: unknown option'), { name: 'CommanderError', exitCode, code });

describe('FailureOutput', () => {
  const forbidden = new ServiceError('No', 'auth.forbidden', { status: 403, advice: 'Use another key.' });

  it('says it in sentences', () => {
    expect(printed(false, forbidden)).toEqual({ code: 4, text: 'No\nUse another key.\n' });
    expect(printed(false, new UsageError('Say which'))).toEqual({ code: 2, text: 'Say which\n' });
    expect(printed(false, commanderError(1, 'commander.unknownOption'))).toEqual({ code: 2, text: '' });
  });

  it('says it as JSON of one shape', () => {
    const json = (error: Error) => JSON.parse(printed(true, error).text) as object;
    expect(json(forbidden)).toEqual({ error: { code: 'auth.forbidden', message: 'No', advice: 'Use another key.', exit_code: 4 } });
    expect(json(new UsageError('Say which'))).toEqual({ error: { code: 'cli.usage', message: 'Say which', exit_code: 2 } });
    expect(json(commanderError(1, 'commander.unknownOption'))).toEqual({
      error: { code: 'cli.usage', message: 'unknown option', exit_code: 2 },
    });
    expect(json(new Error('bang'))).toEqual({ error: { code: null, message: 'bang', exit_code: 1 } });
  });

  it('has nothing to say of help that was asked for', () => {
    expect(printed(true, commanderError(0, 'commander.helpDisplayed'))).toEqual({ code: 0, text: '' });
  });
});
