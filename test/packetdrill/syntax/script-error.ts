/** How a script ends other than well. Thrown inside the runner only; `runScript` turns them into outcomes. */

/** The script is wrong, or the stack did something else than it says. */
export class ScriptFailure extends Error {
  override readonly name = 'ScriptFailure';

  constructor(
    readonly line: number,
    readonly expected: string,
    readonly seen: string,
  ) {
    super(`line ${line}: expected ${expected}, seen ${seen}`);
  }
}

/** The script says something that this runner or this stack has no notion of: neither passed nor failed. */
export class UnsupportedConstruct extends Error {
  override readonly name = 'UnsupportedConstruct';

  constructor(
    readonly line: number,
    readonly construct: string,
  ) {
    super(`line ${line}: unsupported: ${construct}`);
  }
}
