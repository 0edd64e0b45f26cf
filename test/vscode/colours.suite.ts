import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import * as vscode from 'vscode';
import { report } from './support';

/** WCAG 2.1 §1.4.3: the contrast of text. */
const LEAST_CONTRAST = 4.5;

/** What a theme's file says, as far as text in an editor goes; it may build on another. */
interface Theme {
  readonly include?: string;
  readonly colors?: Readonly<Record<string, string>>;
  readonly tokenColors?: readonly { readonly scope?: string | readonly string[]; readonly settings: { readonly foreground?: string } }[];
}

/** The colours of an editor where a theme leaves them to VS Code. */
const OWN_COLORS: Readonly<Record<string, { readonly text: string; readonly background: string }>> = {
  vs: { text: '#000000', background: '#ffffff' },
  'vs-dark': { text: '#d4d4d4', background: '#1e1e1e' },
  'hc-black': { text: '#ffffff', background: '#000000' },
  'hc-light': { text: '#292929', background: '#ffffff' },
};

function readTheme(folder: string, file: string): Required<Omit<Theme, 'include'>> {
  const path = join(folder, file);
  const theme = parse(readFileSync(path, 'utf8')) as Theme;
  const base = theme.include === undefined ? { colors: {}, tokenColors: [] } : readTheme(dirname(path), theme.include);
  return { colors: { ...base.colors, ...theme.colors }, tokenColors: [...base.tokenColors, ...(theme.tokenColors ?? [])] };
}

/** The colour of a scope by the longest selector that it begins with, the later one of equals. */
function colourOf({ tokenColors }: Required<Omit<Theme, 'include'>>, scope: string): string | undefined {
  let best: { readonly length: number; readonly colour: string } | null = null;
  for (const { scope: selectors = [], settings } of tokenColors) {
    if (settings.foreground === undefined) continue;
    for (const selector of [selectors].flat().flatMap((list) => list.split(',')).map((text) => text.trim())) {
      if ((scope === selector || scope.startsWith(`${selector}.`)) && selector.length >= (best?.length ?? 0)) best = { length: selector.length, colour: settings.foreground };
    }
  }
  return best?.colour;
}

/** WCAG 2.1: relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const scopesOf = (grammar: string): string[] => [...new Set([...grammar.matchAll(/"name": "([a-z][\w.-]+)"/g)].map(([, scope = '']) => scope))];

describe('The colours of our grammars', () => {
  const own = vscode.extensions.getExtension('riftnet.riftnet')?.extensionPath ?? '';
  const defaults = vscode.extensions.getExtension('vscode.theme-defaults');
  const themes = ((defaults?.packageJSON as { contributes?: { themes?: { id: string; uiTheme: string; path: string }[] } } | undefined)?.contributes?.themes ?? []);

  for (const file of readdirSync(join(own, 'syntaxes'))) {
    it(`can be read in each of VS Code's own themes: ${file}`, () => {
      assert.ok(themes.length >= 8, `${themes.length} themes`);
      const scopes = scopesOf(readFileSync(join(own, 'syntaxes', file), 'utf8'));
      assert.ok(scopes.length >= 6, scopes.join());
      const faint: string[] = [];
      let least = Infinity;
      for (const { id, uiTheme, path } of themes) {
        const theme = readTheme(defaults?.extensionPath ?? '', path);
        const plain = OWN_COLORS[uiTheme];
        assert.ok(plain, uiTheme);
        const text = theme.colors['editor.foreground'] ?? plain.text;
        // The output is an editor on the panel's ground.
        const grounds = [theme.colors['editor.background'] ?? plain.background, ...(file.includes('output') ? [theme.colors['panel.background'] ?? plain.background] : [])];
        for (const scope of scopes) {
          for (const ground of grounds) {
            const ratio = contrast(colourOf(theme, scope) ?? text, ground);
            least = Math.min(least, ratio);
            if (ratio < LEAST_CONTRAST) faint.push(`${id}: ${scope} ${ratio.toFixed(2)} on ${ground}`);
          }
        }
      }
      report(`${scopes.length} scopes in ${themes.length} themes; least contrast ${least.toFixed(2)} : 1`);
      assert.deepEqual(faint, []);
    });
  }
});
