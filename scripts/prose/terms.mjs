/** The words that are not written here, and what to write. Patterns match within one sentence; code in backticks is not matched. */

export const TERMS = [
  { pattern: /\b(told|tells?|telling)\b/i, write: 'notifies, reports, sends, returns, logs or documents' },
  { pattern: /\b(said|says?|saying)\b/i, write: 'reports, sends, returns, logs, states or documents' },
  { pattern: /\bmend(s|ed|ing)?\b/i, write: 'fix (a bug), repair or resync (state)' },
  { pattern: /\b(com(e|es|ing)|came) (back|in again)\b/i, write: 'reconnect, rejoin, return or recover' },
  { pattern: /\b(for )?so long( as)?\b/i, write: 'for N ms; for that long; while' },
  { pattern: /\bunder way\b/i, write: 'in flight, in progress or pending' },
  { pattern: /\b(looks|looked|looking) at\b/i, write: 'check, poll or read' },
  { pattern: /\b(let|lets|letting) (\w+ )?in\b/i, write: 'admit (a connection), join (a room)' },
  { pattern: /\b(sent away|taken out|sends? away)\b/i, write: 'disconnect or remove' },
  { pattern: /\b(bury|buries|buried|burying|graves?)\b/i, write: 'reap (a dead node) or dead-letter (an event)' },
  { pattern: /\b(carr(y|ies|ied|ying)) out\b/i, write: 'execute or apply' },
  { pattern: /\bat once\b/i, write: 'immediately, or simultaneously: choose one' },
  { pattern: /\b(what|that|which) stands\b/i, write: 'current, existing or open' },
  { pattern: /\b(anew|once more)\b/i, write: 'again' },
  { pattern: /\b(go(es)?|went) on\b/i, write: 'continue' },
  { pattern: /\bwithout a word\b/i, write: 'silently, or without what is missing (a notice, a close frame)' },
  { pattern: /\bmade up for\b/i, write: 'recovered' },
  { pattern: /\bof whom\b|\bwhose\b.*\bwhose\b/i, write: 'two sentences' },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) (no|none|nobody|no one)\b(?! longer| more| less)/i,
    write: '"is not …"',
  },
  {
    pattern: /^(who|whoever|whom|whose|what|whatever)\b(?= )(?!.*\?$)/i,
    write: 'begin with the subject',
    inHeadings: false,
  },
  {
    pattern:
      /\b(behaviour|colour|favour|honour|neighbour|organis|recognis|serialis|initialis|normalis|optimis|authoris|synchronis|summaris|minimis|maximis|utilis|realis|visualis|generalis|specialis|randomis|prioritis|finalis|customis)\w*/i,
    write: 'the American spelling',
  },
  {
    pattern:
      /\b(cancell(ed|ing)|travell(ed|ing|er)|labell(ed|ing)|modell(ed|ing)|signall(ed|ing)|licences?|artefacts?|whilst|grey|centre[ds]?|defence|judgement|fulfil)\b/i,
    write: 'the American spelling',
  },
];

export const NAMES = [
  {
    pattern: /^(who|whom|whose|nobody|none|whenKnown|what)(?!Command)[A-Z]/,
    write: 'a noun, or a verb and its object',
  },
  {
    pattern: /(Told|Said|Wanted|Anew|OnceMore|Mended|Buried|Bury|Nobody)(?![a-z])/,
    write: 'the standard noun or verb',
  },
  { pattern: /^(told|said|mend|bury|letIn)(?![a-z])/, write: 'the standard noun or verb' },
];
