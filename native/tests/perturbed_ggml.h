// Answers of a ggml that is not the pinned one, for this process: what a program defines comes before what its
// libraries define (ELF), and these stand in for libggml-base's functions.
#pragma once

enum perturbation { as_it_is, other_version, other_operation, other_type };

extern enum perturbation perturbation;
