// Each schema three times: .bfbs with comments, .bfbs without, and its source. schemas.cpp lists them.
        .section .rodata
.macro embed label, file
        .global guildhall_\label
        .global guildhall_\label\()_end
        .balign 16
guildhall_\label:
        .incbin "\file"
guildhall_\label\()_end:
        .byte 0
.endm
.macro schema name
        embed \name\()_bfbs, \name\().bfbs
        embed \name\()_plain, plain/\name\().bfbs
        embed \name\()_fbs, \name\().fbs
.endm
        schema ids
        schema account
        schema claim
        schema session
        schema schedule
        schema calendar
        schema booking
        schema payment
        schema decision
        .section .note.GNU-stack,"",@progbits
