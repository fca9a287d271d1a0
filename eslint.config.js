import tseslint from 'typescript-eslint';

/**
 * What the compiler does not see. Rules about the house (imports, settings, console, file length) are in tests/tidy.
 * Type-aware linting is on for promises only: a promise nobody waits for is a write nobody knows of.
 */
export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '**/build/', 'coverage/', '.kontor/', '**/*.generated.ts', 'plugins/host-lua/**/*.lua', '.ci/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      eqeqeq: ['error', 'always'],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'prefer-template': 'error',
    },
  },
  {
    files: ['{kernel,services,adapters,portal}/**/*.ts', 'kong/embedded/**/*.ts', 'tests/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
    },
  },
  { files: ['**/*.test.ts'], rules: { '@typescript-eslint/no-unused-expressions': 'off' } },
  // Lua modules are exported with `export =`, and TypeScript-to-Lua needs namespaces and triple slashes.
  {
    files: ['plugins/**/*.ts'],
    rules: { 'prefer-template': 'off', '@typescript-eslint/no-namespace': 'off', '@typescript-eslint/no-require-imports': 'off', '@typescript-eslint/triple-slash-reference': 'off' },
  },
  // CommonJS because its host loads it so; and scripts of pages, whose functions the page calls.
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['portal/pages/**/*.js'], rules: { '@typescript-eslint/no-unused-vars': 'off' } },
);
