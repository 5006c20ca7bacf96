/** What a command may touch of the outside: passed in, so that tests can watch it. */
export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether stderr is a terminal: only then progress is shown. */
  readonly terminal: boolean;
  readonly colour: boolean;
}

/** Flags that every command has. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}
