/** How the names that a file uses are to be understood, in a header and in a row alike. */
export interface RowNames {
  /** Whether the name is a read-only one of our own exports, which is left out without a word where all of them are there. */
  readonly isLeftOut: (name: string) => boolean;
  /** The field that is meant. Another name for a field that is there under its own stays as it is: two texts cannot be one field. */
  readonly fieldOf: (name: string) => string;
}

/** @param names of the header, or of the row */
export function rowNames(
  names: ReadonlySet<string>,
  { aliases, readOnly }: { readonly aliases: ReadonlyMap<string, string>; readonly readOnly: readonly string[] },
): RowNames {
  const isOwnExport = readOnly.length > 0 && readOnly.every((name) => names.has(name));
  return {
    isLeftOut: (name) => isOwnExport && readOnly.includes(name),
    fieldOf: (name) => {
      const field = aliases.get(name);
      return field === undefined || names.has(field) ? name : field;
    },
  };
}
