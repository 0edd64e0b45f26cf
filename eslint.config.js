'use strict';
const js = require('@eslint/js');
const globals = require('globals');
const tseslint = require('typescript-eslint');

/** Lines that say something: comments and blank lines cost nothing. */
const maxLines = (max) => ['error', { max, skipBlankLines: true, skipComments: true }];

const UNTESTABLE = 'Time comes from the injected Clock, randomness from the injected Random, reports go through the Observer.';

/** What would make the stack depend on the machine it runs on. */
const bannedGlobals = [
  'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask',
  'Date', 'performance', 'console', 'process', 'crypto', 'fetch', 'globalThis', 'global', 'require',
].map((name) => ({ name, message: UNTESTABLE }));

const bannedModules = {
  patterns: [
    {
      group: ['node:*', 'fs', 'net', 'dns', 'os', 'path', 'crypto', 'dgram', 'http', 'https', 'tls', 'events', 'stream', 'timers', 'perf_hooks', 'util', 'child_process', 'worker_threads', 'buffer', 'process'].map(
        // The slash holds a bare name to the module itself: `../wire/dns` is the stack's own.
        (name) => (name.includes(':') ? name : `/${name}`),
      ),
      message: `The stack knows no operating system outside clock.ts, random.ts, link/ and gateway/. ${UNTESTABLE}`,
    },
  ],
};

module.exports = tseslint.config(
  // test/types/cases: uses of the scripts' globals, good and bad, that a test compiles in a configuration of theirs.
  { ignores: ['dist/', 'node_modules/', 'test-output/', '.vscode-test/', 'test/types/cases/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always'],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'off',
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'start' }],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: globals.node },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }], 'max-lines': maxLines(600) },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    rules: {
      // The compiler checks names and unused locals itself, and knows the scripts' globals.
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-empty-object-type': 'off',
    },
  },
  {
    // Rules that ask the type checker: where a forgotten promise or case would be a fault in the product.
    files: ['stack/**/*.ts', 'extension/**/*.ts', 'test/**/*.ts'],
    ignores: ['test/interop/scripts/**', '**/*.d.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: __dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'mocha', name: ['it', 'describe'] }] }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
    },
  },
  {
    files: ['stack/**/*.ts', 'extension/**/*.ts'],
    rules: {
      'max-lines': maxLines(400),
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: "TSAsExpression > TSAsExpression[typeAnnotation.type='TSUnknownKeyword']", message: 'A cast through unknown silences the compiler: narrow the value instead.' },
      ],
    },
  },
  {
    files: ['stack/**/*.ts'],
    ignores: ['stack/clock.ts', 'stack/random.ts', 'stack/link/**', 'stack/gateway/**'],
    rules: {
      'no-restricted-globals': ['error', ...bannedGlobals],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: UNTESTABLE }],
      'no-restricted-imports': ['error', bannedModules],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': maxLines(600),
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'CallExpression[callee.object.name=/^(describe|context|suite|it|test|specify)$/][callee.property.name=/^(only|skip)$/]', message: 'A focused or skipped test hides the others or itself.' },
        { selector: 'CallExpression[callee.name=/^(xit|xdescribe|xcontext|xspecify)$/]', message: 'A skipped test hides itself.' },
        { selector: "CallExpression[callee.object.type='ThisExpression'][callee.property.name='skip']", message: 'A skipped test hides itself: fail with what is missing.' },
      ],
    },
  },
  {
    // Scripts run at the top level of a module, with the runtime's globals.
    files: ['examples/**/*.ts', 'test/interop/scripts/**/*.ts'],
    rules: { 'no-constant-condition': 'off' },
  },
);
