/** The part of the command line parser that is used here; the package belongs to nest-commander. */
export interface CommanderCommand {
  readonly commands: readonly CommanderCommand[];
  readonly options: readonly CommanderOption[];
  /** Words of the call that are no options. */
  readonly args: readonly string[];
  readonly registeredArguments: readonly { readonly required: boolean; readonly variadic: boolean; name(): string }[];
  name(): string;
  name(name: string): CommanderCommand;
  description(): string;
  description(text: string): CommanderCommand;
  exitOverride(handler: (error: Error) => never): CommanderCommand;
  enablePositionalOptions(): CommanderCommand;
  configureOutput(output: { readonly writeErr: (text: string) => void }): CommanderCommand;
  version(version: string, flags: string, description: string): CommanderCommand;
  allowExcessArguments(isAllowed: boolean): CommanderCommand;
  hook(event: 'preAction', listener: (self: CommanderCommand, acting: CommanderCommand) => void): CommanderCommand;
  /** Ends the program with that; names the command that was perhaps meant. */
  unknownCommand(): void;
  addHelpText(position: 'after', text: string): CommanderCommand;
}

interface CommanderOption {
  readonly long?: string;
  readonly short?: string;
  readonly description: string;
  /** Whether a value must follow, or may. */
  readonly required: boolean;
  readonly optional: boolean;
}

/** A command with what it takes, and the commands below it. */
export interface CommandNode {
  /** Words behind `kindred`, for example `generations show`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly { readonly flag: string; readonly takesValue: boolean; readonly description: string }[];
  readonly takesArguments: boolean;
  readonly commands: readonly CommandNode[];
}

const HELP = { flag: '--help', takesValue: false, description: 'what the command does, with examples' };

/** Reads the tree that the parser works with: what is made of it cannot know other commands or options than the program does. */
export function readCommandTree(command: CommanderCommand, path = ''): CommandNode {
  return {
    path,
    description: command.description(),
    options: [
      ...command.options.flatMap(({ long, required, optional, description }) =>
        long === undefined ? [] : [{ flag: long, takesValue: required || optional, description }],
      ),
      HELP,
    ],
    takesArguments: command.registeredArguments.length > 0,
    commands: command.commands.map((child) => readCommandTree(child, `${path} ${child.name()}`.trim())),
  };
}

/** All commands, each before those below it, the program itself first. */
export function flattenTree(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(flattenTree)];
}

/** Last word of a path. */
export function lastWord({ path }: CommandNode): string {
  return path.slice(path.lastIndexOf(' ') + 1);
}
