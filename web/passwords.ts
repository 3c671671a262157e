/** The box checks; the page tells before. */
export const passwordRules =
  "At least 10 characters. Length counts: a few words that belong to nobody do well. Common passwords are refused.";
