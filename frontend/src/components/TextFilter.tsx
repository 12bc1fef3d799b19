/** A filter that takes effect on Enter or when it is left, and lives in the address. */

import { TextInput } from "@patternfly/react-core";
import { useState } from "react";

import type { Query } from "../lib/useQuery";

interface Props {
  name: string;
  label: string;
  query: Query;
}

export function TextFilter({ name, label, query }: Props) {
  const current = query.value(name);
  const [text, setText] = useState(current);
  const take = () => {
    if (text !== current) query.change({ [name]: text.trim(), before: "" });
  };
  return (
    <TextInput
      className="hapair-filter"
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(_event, value) => {
        setText(value);
      }}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === "Enter") take();
      }}
    />
  );
}
