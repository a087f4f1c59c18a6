/** One instruction: its name in capitals, its value with continued lines joined, flags in front. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

export interface Stage {
  /** The image of `FROM`. */
  readonly base: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage of `--from`, or `null` for the build context. */
  readonly from: string | null;
  /** Without a leading `./`. */
  readonly sources: readonly string[];
  readonly destination: string;
}

/** Parses the part of the Dockerfile language that this repository uses: comments, continued lines, no heredocs, no ARG. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const joined = lines.join('\n').replace(/\\\n\s*/g, ' ');
  const stages: { base: string; name: string | null; instructions: Instruction[] }[] = [];
  for (const line of joined.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const [, name, value] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === undefined || value === undefined) throw new Error(`This is no instruction: ${line}`);
    const from = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(value);
    if (name === 'FROM') stages.push({ base: from?.[1] ?? '', name: from?.[2] ?? null, instructions: [] });
    else if (stages.length === 0) throw new Error(`${name} stands before the first FROM`);
    else stages.at(-1)?.instructions.push({ name, value: value.trim() });
  }
  return stages;
}

/** The stage that becomes the image. */
export function finalStage(stages: readonly Stage[]): Stage {
  const last = stages.at(-1);
  if (last === undefined) throw new Error('There is no FROM');
  return last;
}

export function copiesOf(stage: Stage): Copy[] {
  return stage.instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ value }) => {
      const words = value.split(/\s+/);
      const flags = words.filter((word) => word.startsWith('--'));
      const paths = words.filter((word) => !word.startsWith('--'));
      return {
        from: flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length) ?? null,
        sources: paths.slice(0, -1).map((path) => path.replace(/^\.\//, '')),
        destination: paths.at(-1) ?? '',
      };
    });
}
