import type { ApiError } from "../../api.ts";
import { TextField } from "./TextField.tsx";

/** The box checks; the page tells before. */
const rules =
  "At least 10 characters. Length counts: a few words that belong to nobody do well. Common passwords are refused.";

interface Props {
  label?: string;
  value: string;
  set: (value: string) => void;
  error: ApiError | null;
  /** Said before the rules. */
  help?: string;
  focus?: boolean;
  required?: boolean;
}

/** A password that is to be set, with what the box asks of one. */
export function NewPassword({ label = "New password", help = "", ...rest }: Props) {
  const told = help === "" ? rules : `${help} ${rules}`;
  return <TextField label={label} name="password" type="password" autocomplete="new-password" help={told} {...rest} />;
}
