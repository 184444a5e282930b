package org.panallama.server.page;

/** Texts that a model might write. */
final class Samples {

    static final String MARKDOWN = """
            ## Quicksort 快速排序

            快速排序是一种**分治**算法：选一个*基准*，把数组分成两部分，再分别排序。平均复杂度为 `O(n log n)`。

            ```java
            /** Sorts in place. */
            static void sort(int[] a, int low, int high) {
                if (low >= high) return; // nothing left to do
                int pivot = partition(a, low, high);
                sort(a, low, pivot - 1);
                sort(a, pivot + 1, high);
            }
            ```

            | Case | Time |
            |:-----|-----:|
            | best | n log n |
            | worst | n² |

            1. Choose a pivot
            2. Partition
               - smaller ones to the left
               - larger ones to the right

            > It is not stable. See [the paper][1].

            [1]: https://example.org/paper
            """;

    /** Ways to run a script in a page that takes a model's words for its own. */
    static final String ATTACK = """
            Hello <script>window.harmed = 1</script> and <img src="x" onerror="window.harmed = 2">

            <svg onload="window.harmed = 3"></svg> <iframe srcdoc="<script>parent.harmed = 4</script>"></iframe>

            <style>body { display: none }</style> <b onclick="window.harmed = 5">bold</b>

            [link](javascript:window.harmed=6) ![picture](https://example.org/track.png) [data](data:text/html,<b>hi</b>)

            <details open ontoggle="window.harmed = 7"><summary>more</summary></details>

            ```html"><img src=x onerror=window.harmed=8>
            <script>window.harmed = 9</script>
            ```

            | <img src=x onerror=window.harmed=10> |
            |---|
            | `<script>window.harmed = 11</script>` |
            """;

    private Samples() {}
}
