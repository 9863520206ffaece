/** The words that are not written here, and what to write. Patterns match within one sentence; code in backticks is not matched. */

const VERB =
  '(?:is|are|was|were|do|does|did|has|have|had|may|must|can|cannot|will|would|gets?|waits?|reach(?:es)?|stays?|costs?|comes?)';
const CLAUSE_START = '(?:[;:(] |\\b(?:and|or|but|so|that|because|if|while|where|when|since|until|unless) )';
/** A clause with "who" or "what" that another verb follows: it is the subject of the sentence. */
const SUBJECT_CLAUSE = new RegExp(
  `${CLAUSE_START}(?:who(?:ever)? \\w+|what(?:ever)? (?:[^,;:.]* )?${VERB}\\b)[^,;:.]* ${VERB}\\b`,
  'i',
);

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
  { pattern: /\b(carr(y|ies|ied|ying)) (\w+ )?out\b/i, write: 'execute or apply' },
  { pattern: /\bat once\b/i, write: 'immediately, or simultaneously: choose one' },
  { pattern: /\b(stands?|stood)\b(?! (for|by|in for|alone)\b)/i, write: 'is, exists, remains or is open' },
  { pattern: /\bnobody\b/i, write: '"not" with the subject: a process, a client, a session' },
  {
    pattern: /\b(of|to|by|for|from|with|only|that|than) who(ever)?\b/i,
    write: 'name the subject: the client, a user who …',
  },
  { pattern: SUBJECT_CLAUSE, write: 'begin with the subject' },
  { pattern: /\btried (by|here|in|on|with|for)\b/i, write: 'tested or verified' },
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
