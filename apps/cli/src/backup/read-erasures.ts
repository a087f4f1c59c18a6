import type { ErasureLog, ErasureLogContent } from '#erasure';

/** What the erasure log says; warns on standard error of what it may not say any more. @throws ErasureLogError */
export async function readErasures(log: ErasureLog, { mustBeThere = false } = {}): Promise<ErasureLogContent['records']> {
  const { isThere, records, unreadableLines } = await log.read();
  if (!isThere && mustBeThere)
    warn(`There is no erasure log at ${log.path} (ERASURE_LOG): only erasures that the backup itself knows are done again.`);
  if (unreadableLines.length > 0)
    warn(
      `Lines ${unreadableLines.join(', ')} of ${log.path} cannot be read. A crash leaves such a line and repeats it in the next; else compare with a copy of the log.`,
    );
  return records;
}

const warn = (text: string): void => void process.stderr.write(`Warning: ${text}\n`);
