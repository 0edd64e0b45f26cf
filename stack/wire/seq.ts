/**
 * Arithmetic of sequence numbers modulo 2³² (RFC 9293 §3.4). Every value is kept as 0 … 2³²−1.
 * Comparisons hold for numbers less than 2³¹ apart.
 */
export function seqAdd(seq: number, bytes: number): number {
  return (seq + bytes) >>> 0;
}

/** Signed distance from `b` to `a`: −2³¹ … 2³¹−1. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqLe(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

export function seqGe(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

export function seqMax(a: number, b: number): number {
  return seqGt(a, b) ? a : b;
}

export function seqMin(a: number, b: number): number {
  return seqLt(a, b) ? a : b;
}

/** Whether `start <= seq < start + length`. */
export function seqWithin(seq: number, start: number, length: number): boolean {
  return (seq - start) >>> 0 < length;
}
