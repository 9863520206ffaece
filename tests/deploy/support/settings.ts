/** The settings that files of `deploy/` may name. */
import { settingVariables } from '@hubbub/config';

const FILE_VARIABLE = 'HUBBUB_CONFIG';

/** Returns every `HUBBUB_*` in a text that is not the name of a setting. */
export function unknownSettingsIn(text: string): string[] {
  const known = new Set([FILE_VARIABLE, ...settingVariables().keys()]);
  return [...new Set(text.match(/\bHUBBUB_[A-Z0-9_]+\b/g))].filter(name => !known.has(name));
}
