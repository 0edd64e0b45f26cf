/** Files in snippets/templates, without their ending: what "New Script" begins with. */
export const TEMPLATES = ['fetch', 'json', 'socket', 'ticks', 'empty'] as const;

export type Template = (typeof TEMPLATES)[number];
