import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { TEMPLATES } from '../../extension/new-script-templates';
import { DECLARATION_FILE, declarationText, isOurDeclaration, planTsconfig } from '../../extension/script-folder';
import { isScriptText } from '../../extension/script-detection';

function merged(existing: string | null) {
  const plan = planTsconfig(existing);
  assert.ok(plan.kind === 'merged', JSON.stringify(plan));
  const text = plan.text ?? existing ?? '';
  const { config, error } = ts.parseConfigFileTextToJson('tsconfig.json', text) as { config: { compilerOptions: Record<string, unknown>; include?: string[]; files?: string[] }; error?: ts.Diagnostic };
  assert.equal(error, undefined, text);
  return { ...plan, config, text };
}

describe('the tsconfig.json of a folder of scripts', () => {
  it('is written whole where there is none', () => {
    for (const nothing of [null, '', ' \n']) {
      const { config, conflicts } = merged(nothing);
      assert.deepEqual(conflicts, []);
      assert.deepEqual([config.compilerOptions['lib'], config.compilerOptions['types'], config.compilerOptions['moduleDetection']], [['ES2023'], [], 'force']);
      assert.ok(config.include?.includes(DECLARATION_FILE));
    }
  });

  it('is no other than what the examples are checked with', () => {
    const { config } = merged(null);
    const { config: examples } = ts.parseConfigFileTextToJson('tsconfig.json', readFileSync('examples/tsconfig.json', 'utf8')) as { config: { compilerOptions: Record<string, unknown> } };
    for (const key of ['target', 'lib', 'types', 'module', 'moduleResolution', 'moduleDetection', 'resolveJsonModule', 'strict', 'noEmit']) assert.deepEqual(config.compilerOptions[key], examples.compilerOptions[key], key);
  });

  it('keeps what is there as it stands, comments included, and adds what is missing', () => {
    const { config, text, conflicts } = merged('{\n  // mine\n  "compilerOptions": {\n    "strict": false, /* lax */\n    "target": "ES2022",\n  },\n  "include": ["src"]\n}\n');
    assert.deepEqual(conflicts, []);
    assert.match(text, /\/\/ mine/);
    assert.match(text, /\/\* lax \*\//);
    assert.deepEqual([config.compilerOptions['strict'], config.compilerOptions['target'], config.compilerOptions['lib']], [false, 'ES2022', ['ES2023']]);
    assert.deepEqual(config.include, ['src', DECLARATION_FILE]);
  });

  it('names what is there and says otherwise, and leaves it', () => {
    const { config, conflicts } = merged('{ "compilerOptions": { "lib": ["ES2023", "DOM"], "types": ["node"], "moduleDetection": "auto" } }');
    assert.deepEqual(conflicts, ['lib: ["ES2023"]', 'types: []', 'moduleDetection: "force"']);
    assert.deepEqual(config.compilerOptions['lib'], ['ES2023', 'DOM']);
  });

  it('takes other words for the same', () => {
    assert.deepEqual(merged('{ "compilerOptions": { "lib": ["es2022"], "types": [], "moduleDetection": "Force" } }').conflicts, []);
  });

  it('is the same after a second time', () => {
    for (const start of [null, '{ "include": ["a"] }', '{ "files": ["a.ts"] }', '{ "compilerOptions": { "lib": ["DOM"] } }']) {
      assert.equal(planTsconfig(merged(start).text).kind, 'merged');
      const again = planTsconfig(merged(start).text);
      assert.equal(again.kind === 'merged' ? again.text : '', null);
    }
  });

  it('with a list of files gets the declarations added to it', () => {
    const { config } = merged('{ "files": ["a.ts"] }');
    assert.deepEqual([config.files, config.include], [['a.ts', DECLARATION_FILE], undefined]);
  });

  it('that cannot be read is left, and the line is named', () => {
    const plan = planTsconfig('{\n  "compilerOptions": {\n    "lib" "x"\n  }\n}');
    assert.ok(plan.kind === 'unreadable');
    assert.match(plan.message, /^line 3: /);
    assert.equal(planTsconfig('[1]').kind, 'unreadable');
  });
});

describe('the declarations in a folder of scripts', () => {
  it('are replaced only if they are ours', () => {
    assert.ok(isOurDeclaration(declarationText(readFileSync('riftnet.d.ts', 'utf8'))));
    assert.equal(isOurDeclaration('declare const mine: number;'), false);
  });
});

describe('the templates of New Script', () => {
  it('are there, each a script that the editor recognises', () => {
    for (const template of TEMPLATES) assert.ok(isScriptText(`${template}.ts`, readFileSync(`snippets/templates/${template}.ts`, 'utf8')), template);
  });
});
