/**
 * Looks a script through before anything runs: what this runner or stack has no notion of makes the whole
 * script unsupported, wherever it stands, as the part before it proves nothing alone.
 */
import type { Call, Expression, Script } from './syntax/ast';
import { isKnownCall } from './sockets/calls';
import { CONSTANTS, ERRNO } from './sockets/names';
import { runPython, UnknownPython } from './python/run-python';
import { UnsupportedConstruct } from './syntax/script-error';
import { checkOptionCall } from './sockets/socket-options';
import { isTcpInfoName } from './tcp-info';

/** @throws UnsupportedConstruct for the first such line; ScriptFailure for a call that cannot be one */
export function checkSupport(script: Script): void {
  const variables = new Map<string, number | string>();
  for (const { line, action } of script.events) {
    if (action.type === 'call') checkCall(action.call, line);
    if (action.type === 'code') checkCode(action.text, line, variables);
  }
}

function checkCall(call: Call, line: number): void {
  if (!isKnownCall(call.name)) throw new UnsupportedConstruct(line, `${call.name.slice(0, 40)}()`);
  if (call.errno !== null && !ERRNO.has(call.errno)) throw new UnsupportedConstruct(line, `errno ${call.errno.slice(0, 40)}`);
  if (call.name === 'setsockopt' || call.name === 'getsockopt') checkOptionCall(call, line);
  else for (const argument of call.args) checkWords(argument, line);
}

/** Every word in an argument must have a meaning. */
function checkWords(expression: Expression, line: number): void {
  switch (expression.type) {
    case 'word':
      if (!CONSTANTS.has(expression.name) && expression.name !== 'NULL' && expression.name !== 'INADDR_ANY') throw new UnsupportedConstruct(line, expression.name.slice(0, 60));
      return;
    case 'or':
      for (const term of expression.terms) checkWords(term, line);
      return;
    case 'list':
    case 'apply':
      for (const item of expression.items) checkWords(item, line);
      return;
    case 'struct':
      for (const { value } of expression.fields) checkWords(value, line);
      return;
    default:
  }
}

/** Runs the code over made-up values: only whether it can be understood counts. */
function checkCode(text: string, line: number, variables: Map<string, number | string>): void {
  try {
    let statements = text;
    // A broken assertion ends a run; behind it more is to be looked at, so assertions are taken for true.
    statements = statements.replace(/\bassert\b/g, 'assert 1 or');
    runPython(statements, (name) => (isTcpInfoName(name) ? 1 : undefined), variables);
  } catch (error) {
    if (error instanceof UnknownPython) throw new UnsupportedConstruct(line, `code: ${error.message}`);
    // What Python would raise shows when the line is reached.
  }
}
