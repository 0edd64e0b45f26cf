/** Every code block of the pages for script authors, and of the declarations' comments, is compiled and run. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { nameServer, type TestServer } from '../interop/support/servers';
import { RuntimeBench } from '../extension/worker/runtime-bench';
import { compile, COMPILERS } from '../types/compile';
import { blocksOf, matches, type Block } from './blocks';
import { isServerName, PORTS, startDocsServers, type DocsServers } from './servers';

/** Relative to the project's root. */
const PAGES = ['docs/scripts.md', 'docs/sockets.md', 'docs/fetch.md', 'docs/time.md', 'docs/localhost.md', 'docs/errors.md', 'docs/recipes.md', 'docs/boundary.md', 'riftnet.d.ts'];
/** As the pages say: what a setting changes. */
const TICK_RATE = 30;
const TYPES = 'test/types/cases/tsconfig.json';

const pages = PAGES.map((file) => ({ file, text: fs.readFileSync(file, 'utf8') }));
const blocks = pages.flatMap(({ file, text }) => blocksOf(text).map((block) => ({ file, block })));
const scripts = blocks.filter(({ block }) => block.language === 'ts');

describe('The pages for script authors', function () {
  // A compiler and some fifty scripts.
  this.timeout(120_000);
  let bench: RuntimeBench;
  let servers: DocsServers;
  let names: TestServer;

  before(async () => {
    names = await nameServer({});
    servers = await startDocsServers();
    bench = await RuntimeBench.start({ dns: [`127.0.0.1:${names.port}`] });
  });
  after(async () => {
    await bench.stop();
    servers.stop();
    await names.close();
  });

  for (const { file } of pages) {
    describe(file, () => {
      const own = scripts.filter((entry) => entry.file === file);
      before(() => {
        for (const { block } of own) {
          const name = block.attributes['file'];
          if (name !== undefined) fs.writeFileSync(path.join(bench.folder, name), servers.withPorts(block.text));
        }
      });
      for (const { block } of own) it(`line ${block.line}: ${titleOf(block)}`, () => check(block));
    });
  }

  async function check(block: Block): Promise<void> {
    const { same, file, server } = block.attributes;
    if (same !== undefined) assert.equal(`${block.text}\n`, fs.readFileSync(same, 'utf8'), `the block is ${same}`);
    if (file !== undefined) return;
    for (const port of block.text.match(/\b18\d{3}\b/g) ?? []) {
      const name = Object.keys(PORTS).filter(isServerName).find((candidate) => PORTS[candidate] === Number(port)) ?? '';
      assert.ok(server?.split(',').includes(name), `port ${port} is the server ${name}, which the block does not ask for`);
    }
    servers.reset();
    const { output, errors, outcome } = await bench.run(servers.withPorts(block.text), { tickRate: TICK_RATE, timeoutSeconds: 60 });
    // What a person sees of errors: the first line of each.
    const lines = [...output, ...errors.map(({ message }) => message)];
    if (outcome.kind === 'error') lines.push(outcome.error.message);
    else assert.deepEqual(outcome, { kind: 'finished' }, lines.join('\n'));
    const expected = servers.withPorts(block.prints ?? '');
    if (!matches(expected, lines)) assert.equal(lines.join('\n'), expected);
  }

  it('compile', async () => {
    fs.mkdirSync('test-output', { recursive: true });
    const folder = fs.mkdtempSync(path.resolve('test-output', 'docs-'));
    try {
      for (const { file, block } of scripts) {
        const place = path.join(folder, file.replaceAll('/', '-'));
        fs.mkdirSync(place, { recursive: true });
        fs.writeFileSync(path.join(place, block.attributes['file'] ?? `line-${block.line}.ts`), block.text);
      }
      // The README's talk to a server elsewhere: they are compiled, and not run.
      const readme = blocksOf(fs.readFileSync('README.md', 'utf8')).filter(({ language }) => language === 'ts');
      assert.ok(readme.length > 0);
      readme.forEach(({ text }, index) => fs.writeFileSync(path.join(folder, `readme-${index}.ts`), text));
      const config: { compilerOptions: object } = JSON.parse(fs.readFileSync(TYPES, 'utf8'));
      fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ ...config, include: ['**/*.ts', path.resolve('riftnet.d.ts')] }));
      for (const compiler of COMPILERS) assert.deepEqual(await compile(compiler, folder), []);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('have no block that no test looks at', () => {
    const others = blocks.filter(({ block }) => block.language !== 'ts');
    // The configuration of a folder of scripts.
    assert.deepEqual(others.map(({ file, block }) => `${file} ${block.language}`), ['docs/scripts.md json']);
    const shown: { compilerOptions: object } = JSON.parse(others[0]?.block.text ?? '');
    const tested: { compilerOptions: object } = JSON.parse(fs.readFileSync(TYPES, 'utf8'));
    assert.deepEqual(shown.compilerOptions, tested.compilerOptions);
    const fences = pages.flatMap(({ file, text }) => text.split('\n').filter((line) => /^[ *]*```\S/.test(line)).map((line) => `${file} ${line}`));
    assert.equal(fences.length, blocks.length + blocks.filter(({ block }) => block.prints !== null).length, 'each fence begins a block');
    assert.ok(scripts.length > 40, `only ${scripts.length} scripts`);
  });

  it('are linked from the index, and their links lead somewhere', () => {
    const index = pages[0]?.text ?? '';
    for (const { file } of pages.slice(1)) assert.ok(index.includes(`(${path.relative('docs', file)})`), `docs/scripts.md has a link to ${file}`);
    for (const { file, text } of pages.slice(0, -1)) {
      for (const [, target = '', anchor = ''] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
        const place = path.join(path.dirname(file), target || path.basename(file));
        assert.ok(fs.existsSync(place), `${file} links to ${target}`);
        if (anchor !== '') assert.ok(anchorsOf(fs.readFileSync(place, 'utf8')).includes(anchor), `${file} links to ${place}#${anchor}`);
      }
    }
  });

  it('name each example', () => {
    const examples = fs.readdirSync('examples').filter((name) => name.endsWith('.ts'));
    assert.ok(examples.length > 8);
    assert.deepEqual(examples.filter((name) => !pages[0]?.text.includes(`\`${name}\``)), []);
  });

  it('name every code that a script may meet', () => {
    const sources = sourceFiles('extension/worker').map((file) => fs.readFileSync(file, 'utf8'));
    const used = sources.flatMap((text) => [...text.matchAll(/(?:NetworkError\(|StackError\(|code: )'(E[A-Z_]+)'/g)].map((match) => match[1] ?? ''));
    const declared = [...fs.readFileSync('stack/errors.ts', 'utf8').matchAll(/^ {2}\| '(E[A-Z_]+)'/gm)].map((match) => match[1] ?? '');
    assert.ok(used.length > 10 && declared.length > 10, `${used.length} and ${declared.length} codes found`);
    const page = fs.readFileSync('docs/errors.md', 'utf8');
    assert.deepEqual([...new Set([...used, ...declared])].filter((code) => !page.includes(`\`${code}\``)).sort(), []);
    // Only of UDP, which scripts do not have.
    assert.deepEqual([...new Set([...used, ...declared])].filter((code) => !pages.at(-1)?.text.includes(`\`${code}\``) && code !== 'EADDRINUSE').sort(), []);
  });
});

function titleOf({ text, attributes }: Block): string {
  return attributes['file'] ?? text.split('\n').find((line) => line !== '' && !line.startsWith('import ')) ?? '';
}

/** Headings as GitHub makes them into anchors. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

function sourceFiles(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => path.join(folder, name));
}
