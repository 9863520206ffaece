import { describe, expect, test } from 'vitest';
import { describedNamespaceFields, environmentName, settingNames } from '../src/index.js';
import { problemsOf, withFile } from './support/settings.js';

/** Examples in a message: after "such as" or "like", one of several, a bound, true. */
function exampleIn(message: string): string | undefined {
  const [, example] =
    /(?:such as|like) (\S+?)(?=[,;]|$| )/.exec(message) ??
    /one of (\S+?),/.exec(message) ??
    /whole number from (\d+)/.exec(message) ??
    /(true) or false/.exec(message) ??
    [];
  return example;
}

/** The empty text is wrong for all others. */
const WRONG_ITEMS: Readonly<Record<string, string>> = {
  apiKeys: 'not ascii: ü',
  presenceApiKeys: 'with a space',
  jwtAcceptedSecrets: '-----BEGIN PUBLIC KEY-----',
  trustedProxies: 'proxy',
  allowedOrigins: 'example.com',
  jwtPublicKeyFiles: '-----BEGIN PUBLIC KEY-----',
  basePath: 'api',
  webhookSecrets: 'a-short-secret',
  webhookAllowedNetworks: 'internal',
  allowedHosts: 'http://hub.test:8080',
};

describe.each(settingNames())('%s', name => {
  const variable = environmentName(name);

  test('refuses a wrong value, names itself and shows a right one', () => {
    const wrong = WRONG_ITEMS[name] ?? '';
    const [problem = '', ...others] = problemsOf({ [variable]: wrong });
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${variable}: .*expected `));
    const example = exampleIn(problem);
    expect(example, problem).toBeDefined();
    expect(problemsOf({ [variable]: example })).not.toContain(problem);
  });

  test('refuses a value of another type in the file', () => {
    const problems = problemsOf(withFile(`${name}: { nested: true }\n`));
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${variable}: expected `))]);
    expect(exampleIn(problems[0] ?? ''), problems[0]).toBeDefined();
  });
});

test.each(describedNamespaceFields().map(({ name }) => name))(
  'namespaces.chat.%s refuses a wrong value by its place',
  name => {
    const [field = '', inner] = name.split('.');
    const wrong = inner === undefined ? `{ ${field}: -1 }` : `{ ${field}: { ${inner}: -1 } }`;
    const problems = problemsOf(withFile(`namespaces:\n  chat: ${wrong}\n`));
    expect(problems.join('\n')).toMatch(new RegExp(`^namespaces\\.chat\\.${name.replace('.', '\\.')}: expected `, 'm'));
  },
);
