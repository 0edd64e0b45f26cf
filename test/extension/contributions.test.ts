import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { COMMANDS, CONTEXT_KEYS, DEBUG_TYPE, OUTPUT_LANGUAGE, SCRIPT_LANGUAGES, SETTINGS, TREE_ITEMS, VIEW_CONTAINER, VIEWS } from '../../extension/contributions';
import { ADDRESS_PATTERN, OWN_ADDRESS_PATTERN, SERVER_PATTERN } from '../../extension/address-setting';
import { NUMBER_SETTINGS, PATH_PATTERN } from '../../extension/settings-values';

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: string[];
  readonly capabilities: { readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations: string[] }; readonly virtualWorkspaces: { readonly supported: boolean } };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly icon?: string; readonly enablement?: string }[];
    readonly menus: Record<string, readonly { readonly command: string; readonly when?: string; readonly group?: string }[]>;
    readonly keybindings: readonly { readonly command: string; readonly key: string; readonly when: string }[];
    readonly viewsContainers: { readonly activitybar: readonly { readonly id: string; readonly icon: string }[] };
    readonly views: Record<string, readonly { readonly id: string; readonly icon: string }[]>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string }[];
    readonly languages: readonly { readonly id: string }[];
    readonly grammars: readonly { readonly path: string; readonly scopeName: string; readonly language?: string }[];
    readonly snippets: readonly { readonly language: string; readonly path: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly id: string; readonly media: { readonly image?: Record<'light' | 'dark' | 'hc' | 'hcLight', string>; readonly svg?: string } }[] }[];
    readonly configuration: { readonly properties: Record<string, Setting> };
  };
}

interface Setting {
  readonly type: string;
  readonly default: unknown;
  readonly scope: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly enum?: string[];
  readonly order: number;
  readonly markdownEnumDescriptions?: string[];
  readonly markdownDescription: string;
  readonly items?: { readonly pattern: string };
}

const text = readFileSync('package.json', 'utf8');
const manifest = JSON.parse(text) as Manifest;
const { contributes } = manifest;
const words = JSON.parse(readFileSync('package.nls.json', 'utf8')) as Record<string, string>;
const sorted = (values: Iterable<string>): string[] => [...values].sort();

describe('package.json and the ids in the code', () => {
  it('name the same commands', () => {
    assert.deepEqual(sorted(contributes.commands.map(({ command }) => command)), sorted(Object.values(COMMANDS)));
  });

  it('name the same settings, with the same bounds and patterns', () => {
    const settings = contributes.configuration.properties;
    assert.deepEqual(sorted(Object.keys(settings)), sorted(Object.values(SETTINGS).map((key) => `riftnet.${key}`)));
    for (const [key, bounds] of Object.entries(NUMBER_SETTINGS)) {
      const setting = settings[`riftnet.${key}`];
      assert.deepEqual({ minimum: setting?.minimum, maximum: setting?.maximum, default: setting?.default }, bounds, key);
    }
    for (const key of ['hostAddress', 'gateway']) assert.equal(settings[`riftnet.${key}`]?.pattern, `^$|${ADDRESS_PATTERN}`, key);
    assert.equal(settings['riftnet.address']?.pattern, OWN_ADDRESS_PATTERN);
    assert.equal(settings['riftnet.dns']?.items?.pattern, SERVER_PATTERN);
    assert.equal(settings['riftnet.extraCaCertificates']?.items?.pattern, PATH_PATTERN);
  });

  it('name the same views, language and languages of scripts', () => {
    assert.deepEqual(contributes.viewsContainers.activitybar.map(({ id }) => id), [VIEW_CONTAINER]);
    assert.deepEqual(contributes.views[VIEW_CONTAINER]?.map(({ id }) => id), Object.values(VIEWS));
    assert.deepEqual(contributes.languages.map(({ id }) => id), [OUTPUT_LANGUAGE]);
    assert.deepEqual(contributes.snippets.map(({ language }) => language), [...SCRIPT_LANGUAGES]);
  });

  it('use only context keys and tree items that the code sets', () => {
    const clauses = [...Object.values(contributes.menus).flat(), ...contributes.keybindings, ...contributes.commands.map(({ enablement }) => ({ when: enablement }))].map(({ when }) => when ?? '');
    const known = new Set<string>([...Object.values(CONTEXT_KEYS), ...Object.values(TREE_ITEMS), ...Object.values(VIEWS)]);
    const used = new Set(clauses.flatMap((clause) => clause.match(/\briftnet(?:\.\w+)+/g) ?? []));
    assert.deepEqual([...used].filter((key) => !known.has(key)), []);
    for (const key of Object.values(CONTEXT_KEYS)) assert.ok(used.has(key), `${key} is used`);
    // A pattern in a clause is matched against what the tree gives its nodes.
    const items = Object.values(TREE_ITEMS);
    const patterns = clauses.flatMap((clause) => [...clause.matchAll(/viewItem =~ \/(.*?)\/(?= |$)/g)].map((match) => new RegExp(match[1] ?? '')));
    assert.ok(patterns.length > 0);
    for (const pattern of patterns) assert.ok(items.some((item) => pattern.test(item)), String(pattern));
  });
});

describe('package.json', () => {
  it('has a word in package.nls.json for each it takes from there, and none that is left over', () => {
    const used = new Set([...text.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1] ?? ''));
    assert.deepEqual(sorted(used), sorted(Object.keys(words)));
  });

  it('has an icon as the Marketplace takes it: a PNG of at least 128 pixels, square', () => {
    const png = readFileSync(manifest.icon);
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    assert.deepEqual([png.readUInt32BE(16) >= 128, png.readUInt32BE(16)], [true, png.readUInt32BE(20)]);
  });

  it('names files that exist', () => {
    const files = [...contributes.grammars, ...contributes.snippets].map(({ path }) => path);
    const icons = [...contributes.viewsContainers.activitybar, ...Object.values(contributes.views).flat()].map(({ icon }) => icon);
    for (const file of [...files, ...icons]) assert.ok(existsSync(file), file);
  });

  it('has a picture of each step of the walkthrough for each kind of theme', () => {
    for (const { steps } of manifest.contributes.walkthroughs) {
      for (const { id, media } of steps) {
        const pictures = media.image ? [media.image.light, media.image.dark, media.image.hc, media.image.hcLight] : [media.svg ?? ''];
        assert.deepEqual(pictures.filter((path) => !path || !existsSync(path)), [], id);
      }
    }
  });

  it('offers no command in a menu that it does not contribute, nor one without an icon inline', () => {
    const commands = new Map(contributes.commands.map((command) => [command.command, command]));
    for (const { command, group } of Object.values(contributes.menus).flat()) {
      assert.ok(commands.has(command), command);
      if (group?.startsWith('inline') || group?.startsWith('navigation')) assert.ok(commands.get(command)?.icon, `${command} has an icon`);
    }
  });

  it('hides from the palette what needs a node of the tree', () => {
    const hidden = contributes.menus['commandPalette']?.filter(({ when }) => when === 'false').map(({ command }) => command) ?? [];
    const onNodes = new Set((contributes.menus['view/item/context'] ?? []).map(({ command }) => command));
    // Explain asks which failure is meant if it is given none.
    assert.deepEqual(sorted(hidden), sorted([...onNodes].filter((id) => id !== COMMANDS.explain)));
  });

  it('describes and bounds every setting', () => {
    for (const [key, setting] of Object.entries(contributes.configuration.properties)) {
      assert.ok(setting.markdownDescription, `${key} is described`);
      assert.ok(['machine', 'machine-overridable', 'resource', 'window'].includes(setting.scope), `${key} has a scope`);
      if (setting.type === 'number' || setting.type === 'integer') assert.ok(setting.minimum !== undefined && setting.maximum !== undefined, `${key} has bounds`);
      if (setting.pattern) assert.ok(setting.patternErrorMessage, `${key} says what is wrong`);
      assert.equal(setting.enum?.length, setting.markdownEnumDescriptions?.length, `${key} describes its values`);
    }
    const orders = Object.values(contributes.configuration.properties).map(({ order }) => order);
    assert.deepEqual(orders, orders.map((_, index) => index + 1), 'each has a place of its own');
  });

  it('offers Run loudly only in scripts, and quietly in every file of their languages but declarations', () => {
    const when = (menu: string): string | undefined => contributes.menus[menu]?.find(({ command }) => command === COMMANDS.runScript)?.when;
    assert.equal(when('editor/title/run'), `resourcePath in ${CONTEXT_KEYS.scriptPaths}`);
    for (const menu of ['editor/context', 'explorer/context']) assert.match(when(menu) ?? '', /resourceLangId == typescript.*!\(resourceFilename =~ /);
  });

  it('runs nothing in an untrusted workspace, and lets one change nothing of the network', () => {
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
    const reachesNetwork = Object.entries(contributes.configuration.properties).filter(([, { scope }]) => scope === 'machine-overridable').map(([key]) => key);
    assert.deepEqual(sorted(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations), sorted(reachesNetwork));
    for (const id of [COMMANDS.runScript, COMMANDS.restartScript, COMMANDS.runAgain]) assert.match(contributes.commands.find(({ command }) => command === id)?.enablement ?? '', /isWorkspaceTrusted/);
  });

  it('starts with its commands, its views and the languages of scripts, and not with every window', () => {
    assert.deepEqual(manifest.activationEvents, [...SCRIPT_LANGUAGES.map((language) => `onLanguage:${language}`), `onDebugResolve:${DEBUG_TYPE}`]);
  });

  it('keeps what is packed to an allow-list that names what it needs', () => {
    const lines = readFileSync('.vscodeignore', 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
    assert.equal(lines[0], '**');
    assert.ok(lines.slice(1).every((line) => line.startsWith('!')), 'all that follows is allowed');
    const { entries } = createRequire(resolve('esbuild.js'))('./esbuild.js') as { entries: Record<string, string> };
    const bundles = Object.keys(entries).map((name) => `dist/${name}.js`);
    assert.ok(bundles.includes('dist/worker.js'));
    for (const needed of [...bundles, 'package.json', 'package.nls.json', 'package.nls.*.json', 'l10n/**', 'media/**', 'snippets/**', 'syntaxes/**']) assert.ok(lines.includes(`!${needed}`), needed);
  });
});

describe('the snippets', () => {
  const snippets = JSON.parse(readFileSync('snippets/riftnet.json', 'utf8')) as Record<string, { prefix: string; description: string; body: string[] }>;

  it('have prefixes of our own, described, each once', () => {
    const prefixes = Object.values(snippets).map(({ prefix }) => prefix);
    for (const needed of ['netfetch', 'netfetchjson', 'netconnect', 'nettick']) assert.ok(prefixes.includes(needed), needed);
    assert.equal(new Set(prefixes).size, prefixes.length);
    for (const [name, { prefix, description, body }] of Object.entries(snippets)) {
      assert.match(prefix, /^net[a-z]+$/, name);
      assert.ok(description.length > 10, name);
      const source = body.join('\n');
      assert.equal(source.match(/\$0/g)?.length, 1, `${name} says where the cursor ends`);
      // Each tab stop that is repeated has been given its text once.
      for (const [, stop] of source.matchAll(/\$([1-9])/g)) assert.match(source, new RegExp(`\\$\\{${stop}[:|]`), `${name}: stop ${stop}`);
    }
  });
});
