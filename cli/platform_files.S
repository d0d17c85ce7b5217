// The built-in platform policies. platform_policy.cpp lists them.
        .section .rodata
.macro platform name
        .global guildhall_platform_\name
        .global guildhall_platform_\name\()_end
guildhall_platform_\name:
        .incbin "\name\().toml"
guildhall_platform_\name\()_end:
        .byte 0
.endm
        platform tutoring
        platform producers_avenue
        platform dracarys
        .section .note.GNU-stack,"",@progbits
