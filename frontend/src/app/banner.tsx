import { useQuery } from "@tanstack/react-query";
import { signUpQuery } from "@/shared/api/queries";
import { useApi } from "@/shared/api/services";

/** What the operator has to say to everybody. */
export function Banner() {
  const { data } = useQuery({ ...signUpQuery(useApi()), staleTime: 0, refetchInterval: 60_000 });
  if (!data?.banner) return null;
  return (
    <p role="status" className="border-b border-line bg-raised px-3 py-1.5 text-center">
      {data.banner}
    </p>
  );
}
