/** A script's process is not trusted: what it says about a fetch is taken field by field. */
import type { FetchReport } from '../protocol';

const MAX_TEXT = 8 * 1024;

/** @returns null if the payload is no report */
export function toFetchReport(runId: string, payload: Buffer): FetchReport | null {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const number = (name: string) => (typeof fields[name] === 'number' ? fields[name] : null);
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name].slice(0, MAX_TEXT) : null);
  const id = number('id');
  const method = text('method');
  const url = text('url');
  const startedAt = number('startedAt');
  if (id === null || method === null || url === null || startedAt === null) return null;
  return {
    runId,
    id,
    method,
    url,
    status: number('status'),
    statusMessage: text('statusMessage'),
    sentBytes: number('sentBytes') ?? 0,
    requestBytes: number('requestBytes'),
    bodyBytes: number('bodyBytes') ?? 0,
    expectedBytes: number('expectedBytes'),
    startedAt,
    durationMs: number('durationMs'),
    error: toError(fields['error']),
  };
}

function toError(value: unknown): FetchReport['error'] {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return null;
  const { code, message } = value;
  return typeof code === 'string' && typeof message === 'string' ? { code, message: message.slice(0, MAX_TEXT) } : null;
}
